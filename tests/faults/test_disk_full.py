"""The disk refuses, at every single call that writes: the published index stays as it was."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from failing_disk import disk
from gallery import add, gallery, id_of, unit_rows

from cbir.errors import IndexWriteError
from cbir.types import Query
from indexer import Index, IndexWriter, verify_index
from indexer.formats import FORMAT
from indexer.manifest import read_manifest
from indexer.storage import durable

DIM = 8
ROWS = unit_rows(30, DIM)


def answers(path: Path) -> list[tuple[str, float]]:
    with Index.open(path) as index:
        query = Query(ROWS[0], index.fingerprint)
        return [(hit.item.path, hit.score) for hit in index.search(query, 100)]


def change(path: Path) -> None:
    """A bit of everything: add, remove, two commits, a compaction."""
    with IndexWriter.open(path) as writer:
        add(writer, "/new", ROWS[20])
        writer.remove_paths(["/g/3"])
        writer.commit()
        add(writer, "/newer", ROWS[21])
        writer.commit()
        writer.compact()


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    return gallery(tmp_path_factory.mktemp("full") / "sound.index", ROWS[:12])


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EFBIG], ids=errno.errorcode.get)
def test_a_refusal_at_any_call_leaves_a_published_index(sound, tmp_path, code):
    path = tmp_path / "changed.index"
    shutil.copytree(sound, path)
    published = [answers(path)]
    with IndexWriter.open(path) as writer:
        add(writer, "/new", ROWS[20])
        writer.remove_paths(["/g/3"])
        writer.commit()
        published.append(answers(path))
        add(writer, "/newer", ROWS[21])
        writer.commit()
        published.append(answers(path))
        writer.compact()
        assert answers(path) == published[-1]
    shutil.rmtree(path)
    shutil.copytree(sound, path)
    with disk() as watched:
        change(path)
    assert watched.n_calls > 40
    for fail_at in range(1, watched.n_calls + 1):
        shutil.rmtree(path)
        shutil.copytree(sound, path)
        with disk(fail_at, code), pytest.raises(IndexWriteError, match=os.strerror(code)):
            change(path)
        assert answers(path) in published
        IndexWriter.open(path).close()  # removes what is left
        assert answers(path) in published


def test_nothing_is_published_before_the_manifest_has_its_name(sound, tmp_path):
    path = tmp_path / "changed.index"
    shutil.copytree(sound, path)
    before = answers(path)
    with pytest.MonkeyPatch.context() as patch, IndexWriter.open(path) as writer:
        add(writer, "/new", ROWS[20])

        def refuse_manifest(source: Path, target: Path) -> None:
            if target.name == "manifest.json":
                raise OSError(errno.ENOSPC, "No space left on device")
            source.replace(target)

        patch.setattr(durable, "_replace", refuse_manifest)
        with pytest.raises(IndexWriteError, match="No space left"):
            writer.commit()
        assert answers(path) == before
        with pytest.raises(IndexWriteError, match="Open a new one"):
            writer.commit()
    change(path)
    assert "/new" in dict(answers(path))


def test_a_refusal_while_a_format_is_brought_to_todays_leaves_the_older_index(golden_index, tmp_path):
    def upgrade(path: Path) -> None:
        with IndexWriter.open(path) as writer:
            writer.commit()

    sound = golden_index(1)
    path = tmp_path / "upgraded.index"
    shutil.copytree(sound, path)
    with disk() as watched:
        upgrade(path)
    assert watched.n_calls > 8
    for fail_at in range(1, watched.n_calls + 1):
        shutil.rmtree(path)
        shutil.copytree(sound, path)
        with disk(fail_at), pytest.raises(IndexWriteError, match="No space"):
            upgrade(path)
        assert verify_index(path).ok
    upgrade(path)
    assert read_manifest(path).format == FORMAT
    assert verify_index(path).ok


LIMITED = """
import resource, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
import numpy as np
from gallery import add, unit_rows
from cbir.errors import IndexWriteError
from indexer import IndexWriter
rows = unit_rows(4000, 8)
with IndexWriter.open(Path(sys.argv[1])) as writer:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
    try:
        for number, row in enumerate(rows):
            add(writer, f"/more/{number}", row, label="x" * 50)
        writer.commit()
    except IndexWriteError as error:
        print(error)
        sys.exit(7)
"""


@pytest.mark.parametrize("limit", [100_000, 300_000, 1_000_000])
def test_a_real_limit_on_file_size_leaves_the_published_index(sound, tmp_path, limit):
    path = tmp_path / "limited.index"
    shutil.copytree(sound, path)
    before = answers(path)
    helpers = str(Path(__file__).parents[1] / "indexer")
    child = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path), helpers, str(limit)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert child.returncode == 7, child.stderr
    assert "as it was at its last commit" in child.stdout
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    assert answers(path) == before
    change(path)
    with Index.open(path) as index:
        assert id_of(index, "/newer")
        assert index.verify().ok
