"""Handing the rows of a generation to the process that writes them into a shard."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import IndexWriteError
from cbir.images.channel import Channel
from indexer.stores.qdrant.payload import indexes, payloads

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cbir.items.where import Kind
    from indexer.storage.records import JSON
    from indexer.stores.qdrant.edge import ShardLayout
    from indexer.stores.store import Generation

_BATCH = 1000
_ROOM = 3
"""The disk must have room for so many times the vectors: while the graph is made they lie there twice."""
_MAIN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from indexer.stores.qdrant.fill_process import main; main(int(sys.argv[2]), int(sys.argv[3]))"
)


def fill_shard(root: Path, generation: Generation, columns: Mapping[str, Kind], layout: ShardLayout) -> None:
    """Write a shard with a point for every row into an empty directory.

    Raises:
        IndexWriteError: the disk is full, or refuses.
    """
    _check_room(root, 4 * generation.embeddings.n_rows * generation.embeddings.dim)
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", _MAIN, json.dumps(sys.path), str(theirs.fileno()), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
    )
    theirs.close()
    try:
        with contextlib.suppress(EOFError):  # its last word says more
            _send(channel, root, generation, columns, layout)
        try:
            error = channel.receive_json()["error"]
        except EOFError:
            error = f"it was killed (exit code {process.wait()}), as happens when the disk is full"
    finally:
        channel.close()
        process.kill()
        process.wait()
    if error:
        raise IndexWriteError(
            f"Qdrant's engine could not write {str(root)!r}: {error}. The index is as it was at its last "
            "commit; make room or repair the disk, and run again to go on."
        )


def _send(
    channel: Channel, root: Path, generation: Generation, columns: Mapping[str, Kind], layout: ShardLayout
) -> None:
    catalog, embeddings = generation.catalog, generation.embeddings
    tenant = catalog.memo("tenant_column")
    fields: list[JSON] = [
        [key, form] for key, form in indexes(columns, tenant=tenant if isinstance(tenant, str) else None)
    ]
    asked: dict[str, JSON] = {"root": str(root.absolute()), "dim": embeddings.dim, "indexes": fields}
    channel.send_json({**asked, "layout": asdict(layout)})
    for first_row, block in embeddings.blocks():
        for start in range(0, len(block), _BATCH):
            vectors = block[start : start + _BATCH]
            first = first_row + start
            channel.send_json({"payloads": [*payloads(catalog, first, first + len(vectors))]})
            channel.send(np.ascontiguousarray(vectors).data)
    channel.send_json({"payloads": []})


def _check_room(root: Path, n_bytes: int) -> None:
    free = shutil.disk_usage(root).free
    if free < _ROOM * n_bytes:
        raise IndexWriteError(
            f"A Qdrant store of {n_bytes >> 20} MiB of vectors needs about {_ROOM * n_bytes >> 20} MiB on "
            f"the disk of {str(root)!r}, {free >> 20} MiB are free. Make room, or take another store."
        )
