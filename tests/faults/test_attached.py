"""The disk refuses while something is attached, replaced or removed: what was published stays whole."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import numpy as np
import pytest
from failing_disk import disk
from gallery import gallery, unit_rows

from cbir.errors import IndexWriteError
from indexer import Index, IndexWriter, verify_index
from indexer.attachments import ItemValues

ROWS = unit_rows(6, 8)


def attach(writer: IndexWriter, ids: list[str], value: float, file: Path) -> None:
    table = ItemValues(("a",), ids, np.full((len(ids), 1), value, np.float32))
    writer.attach("grader", settings=value, files={"f": file}, values=table)
    writer.commit()


def change(path: Path, ids: list[str], file: Path) -> None:
    """Replace, compact with a row gone, remove."""
    with IndexWriter.open(path) as writer:
        attach(writer, ids, 2.0, file)
        writer.remove_paths(["/g/3"])
        writer.compact()
        writer.detach("grader")
        writer.commit()


def state(path: Path) -> tuple[object, list[float], bytes] | None:
    with Index.open(path) as index:
        if not index.attachments():
            return None
        found = index.attachment("grader")
        values = found.values([item.id for item in index.items()])
        return found.settings, sorted({float(each) for each in values.ravel()}), found.files["f"].read_bytes()


def test_a_refusal_at_any_call_leaves_one_attachment_or_the_other(tmp_path):
    sound, path, file = tmp_path / "sound.index", tmp_path / "changed.index", tmp_path / "f"
    file.write_bytes(b"kept with it")
    gallery(sound, ROWS)
    with Index.open(sound) as index:
        ids = [item.id for item in index.items()]
    with IndexWriter.open(sound) as writer:
        attach(writer, ids, 1.0, file)
    may_be = [None, *((value, [value], b"kept with it") for value in (1.0, 2.0))]
    shutil.copytree(sound, path)
    with disk() as watched:
        change(path, ids, file)
    assert state(path) is None
    assert watched.n_calls > 30
    for fail_at in range(1, watched.n_calls + 1):
        shutil.rmtree(path)
        shutil.copytree(sound, path)
        with disk(fail_at, errno.ENOSPC), pytest.raises(IndexWriteError, match="No space"):
            change(path, ids, file)
        IndexWriter.open(path).close()  # removes what is left
        assert state(path) in may_be
        assert verify_index(path).ok
