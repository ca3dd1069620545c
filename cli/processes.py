"""A command that several processes run together, as torchrun starts them: one of them speaks."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from cbir.errors import OtherProcessError
from cbir.training.processes import ALONE, joined_processes
from cli.exit_codes import UsageProblem, exit_code
from cli.terminal import note

if TYPE_CHECKING:
    from cbir.training.processes import Processes

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def started_processes(device: str) -> Iterator[Processes]:
    """Find the processes that were started with this one; alone where nobody says that there are others.

    What the first one fails at and the others wait for is said by the first, and ends all with its exit code.
    A signal ends the others on the spot: they have nothing to keep.

    Args:
        device: as torch names it, ``cpu`` or ``cuda``.

    Raises:
        Exit: the first one failed.
        TrainingError: another process ended.
        UsageProblem: more processes on this machine than it has GPUs.
    """
    if int(os.environ.get("WORLD_SIZE") or 1) == 1:
        yield ALONE
        return
    if device != "cpu":
        _check_gpus()
    if int(os.environ.get("RANK") or 0):
        for number in _STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
    try:
        with joined_processes(cpu=device == "cpu") as processes:
            if processes.is_first:
                note(f"training in {processes.n} processes")
            yield processes
    except OtherProcessError as error:
        raise typer.Exit(exit_code(error)) from None


def _check_gpus() -> None:
    import torch

    n_here, n_gpus = int(os.environ.get("LOCAL_WORLD_SIZE") or 1), torch.cuda.device_count()
    if n_here > n_gpus:
        raise UsageProblem(
            f"torchrun started {n_here} processes here, and there are {n_gpus} GPUs: one each. Lower "
            "--nproc-per-node, or add --device cpu."
        )
