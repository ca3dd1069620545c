"""The process in which the engine writes a shard.

It writes through mapped memory: where the disk is full the kernel kills it, and nobody else along with it.
"""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from typing import Any

import numpy as np

from cbir.child import live_and_die_with
from cbir.images.channel import Channel
from indexer.stores.qdrant.edge import ShardLayout, field_index, load_edge, shard_config

_MAX_VECTOR_BYTES = 1 << 30


def main(socket_fd: int, parent_pid: int) -> None:
    """Write one shard; say that it is there, or what is wrong."""
    live_and_die_with(parent_pid)
    channel = Channel(socket.socket(fileno=socket_fd))
    with contextlib.suppress(EOFError):
        try:
            _fill(channel)
        except EOFError:
            raise
        except Exception as error:  # noqa: BLE001 - the engine knows no others
            channel.send_json({"error": str(error).partition("\n")[0]})
        else:
            channel.send_json({"error": None})


def _fill(channel: Channel) -> None:
    edge = load_edge()
    asked: Any = channel.receive_json()
    root, dim = Path(asked["root"]), asked["dim"]
    shard = edge.EdgeShard.create(str(root), shard_config(dim, ShardLayout(**asked["layout"])))
    for key, form in asked["indexes"]:
        shard.update(edge.UpdateOperation.create_field_index(key, field_index(form)))
    first_row = 0
    while payloads := _payloads(channel):
        vectors = np.frombuffer(channel.receive(_MAX_VECTOR_BYTES), np.float32).reshape(-1, dim)
        rows = range(first_row, first_row + len(vectors))
        points = [edge.Point(*point) for point in zip(rows, vectors, payloads, strict=True)]
        shard.update(edge.UpdateOperation.upsert_points(points))
        first_row = rows.stop
    shard.optimize()
    shard.flush()
    shard.close()
    if any(root.glob("segments/*/mutable_id_tracker.mappings")):
        edge.EdgeShard.load(str(root)).close()  # folds journals in: after that, loading changes nothing


def _payloads(channel: Channel) -> Any:
    return channel.receive_json()["payloads"]
