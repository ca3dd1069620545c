"""What TensorBoard shows of a run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cbir.training.loop.history import EpochDone


def write_events(folder: Path, epochs: Sequence[EpochDone]) -> None:
    """Write epochs as scalars, in one new file: ``tensorboard --logdir`` of the folder or above shows them.

    Raises:
        OSError: the disk refused.
    """
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder))
    try:
        for epoch in epochs:
            values = {
                "loss": epoch.loss,
                **{f"loss/{name}": value for name, value in epoch.terms.items()},
                "validation/macro P@10": epoch.precision,
                "validation/chance": epoch.random,
                "images per second": epoch.images_per_s,
            }
            scalars = [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
            event = Event(wall_time=time.time(), step=epoch.epoch, summary=Summary(value=scalars))
            writer.add_event(event)
    finally:
        writer.close()
