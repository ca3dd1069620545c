"""The engine in this process: what is published stays as it is, is checked, and is shared by all who read."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from gallery import add, fill_model, gallery, id_of, record_of, spec_of, unit_rows

from cbir.errors import IndexDamagedError, IndexWriteError, VectorError
from cbir.items.where import Compare, holds
from cbir.types import Query
from indexer import STORES, Index, IndexWriter, verify_index
from indexer.storage.opened import open_generation
from indexer.stores import Generation, Store, StoreKind
from indexer.stores.exact import ExactStore
from indexer.stores.qdrant import embedded
from indexer.stores.qdrant.edge import ShardLayout
from indexer.stores.qdrant.embedded import EmbeddedEngine, build_shard

DIM = 8
ROWS = unit_rows(120, DIM, seed=3)
FINGERPRINT = spec_of(DIM).fingerprint


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("qdrant") / "sound.index"
    with IndexWriter.create(path, spec_of(DIM), fill_model, store="qdrant") as writer:
        for number, row in enumerate(ROWS[:100]):
            view = ("CC", "MLO")[number % 2]
            add(writer, f"/g/{number}", row, group=f"g{number // 4}", metadata={"view": view, "age": number})
        writer.commit()
        writer.build_store()
        for number, row in enumerate(ROWS[100:105], start=100):
            add(writer, f"/g/{number}", row, metadata={"view": "CC"})
        writer.commit()
    return path


@pytest.fixture
def path(sound, tmp_path) -> Path:
    shutil.copytree(sound, tmp_path / "lesions.index")
    return tmp_path / "lesions.index"


def answers(path: Path, *, n_queries: int = 10) -> list[list[tuple[str, float]]]:
    with Index.open(path) as index:
        queries = [Query(row, FINGERPRINT) for row in ROWS[:n_queries]]
        return [[(hit.item.path, hit.score) for hit in hits] for hits in index.search_many(queries, 7)]


def read(path: str) -> list[list[tuple[str, float]]]:
    """Open and ask several times, by four threads at a time."""
    with ThreadPoolExecutor(4) as threads:
        first, *others = threads.map(answers, [Path(path)] * 6)
    assert all(other == first for other in others)
    return first


def files_of(path: Path) -> dict[str, str]:
    return {
        str(part.relative_to(path)): hashlib.sha256(part.read_bytes()).hexdigest() if part.is_file() else ""
        for part in (path / "store").rglob("*")
    }


def store_of(path: Path) -> tuple[Store, Generation]:
    opened = open_generation(path)
    made = Generation(path, opened.manifest.fingerprint, opened.embeddings, opened.catalog)
    return STORES["qdrant"].open(made, opened.manifest.store, opened.store_files), made


def test_an_index_says_what_its_store_is_and_verifies(path):
    assert answers(path) == [
        [(hit.item.path, hit.score) for hit in hits]
        for hits in Index.open(path, store="exact").search_many(
            [Query(row, FINGERPRINT) for row in ROWS[:10]], 7
        )
    ]
    with Index.open(path) as index:
        info = index.info()
        assert (info.store, info.store_rows, info.is_payload_current) == ("qdrant", 100, True)
        assert info.store_settings["recall_at_10"] >= 0.99
        assert index.verify().ok


def test_faiss_to_qdrant_to_faiss_gives_the_same_hits(tmp_path):
    path = gallery(tmp_path / "there.index", ROWS)
    before = answers(path, n_queries=50)
    for kind in ("qdrant", "faiss"):
        with IndexWriter.open(path) as writer:
            writer.build_store(kind)
        assert answers(path, n_queries=50) == before
    assert not list((path / "store").iterdir())


def test_readers_change_nothing_of_what_is_published(path):
    before = files_of(path)
    expected = answers(path)
    program = "import sys; sys.path[:0] = sys.argv[2:]; from test_embedded import *; print(read(sys.argv[1]))"
    helpers = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "indexer")]
    command = [sys.executable, "-c", program, str(path), *helpers]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for reader in readers:
        assert reader.communicate(timeout=60)[0] == f"{expected}\n"
    assert files_of(path) == before


def test_nothing_is_left_in_the_temporary_folder(path, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with Index.open(path) as index:
        index.search(Query(ROWS[0], FINGERPRINT), 3)
        assert not list((tmp_path / "temporary").iterdir())
        assert len(index.search(Query(ROWS[1], FINGERPRINT), 3)) == 3


def test_no_room_for_a_working_directory_is_said_in_one_line(path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 100))
    with Index.open(path) as index, pytest.raises(IndexWriteError, match="TMPDIR"):
        index.search(Query(ROWS[0], FINGERPRINT), 3)


READ_AS_ANOTHER = """
import os, sys
from pathlib import Path
from indexer import Index
def search(path):
    with Index.open(Path(path)) as index:
        first = next(index.items())
        return index.search(index.query(first.id), 3)[0].rank
search(sys.argv[2])  # imports everything while it may
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
print(search(sys.argv[1]))
"""


def test_an_index_that_may_only_be_read_is_searched(sound, path):
    before = files_of(path)
    for part in [path, *path.rglob("*")]:
        part.chmod(0o555 if part.is_dir() else 0o444)
    for folder in path.parents:
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    try:
        done = subprocess.run(
            [sys.executable, "-c", READ_AS_ANOTHER, str(path), str(sound)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.stdout, done.returncode) == ("1\n", 0), done.stderr
    finally:
        for part in [path, *path.rglob("*")]:
            if part.is_dir():
                part.chmod(0o755)
    assert files_of(path) == before


def test_a_flipped_bit_or_a_missing_file_is_noticed_before_the_first_answer(path):
    names = sorted(name for name, digest in files_of(path).items() if digest)
    assert len(names) > 10
    dice = np.random.default_rng(4)
    for name in names:
        place = path / name
        size = place.stat().st_size
        if not size:
            continue
        offset = int(dice.integers(size))
        with place.open("r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 1 << int(dice.integers(8))]))
        with Index.open(path) as index, pytest.raises(IndexDamagedError, match=place.name):
            index.search(Query(ROWS[0], FINGERPRINT), 3)
        assert any(place.name in finding for finding in verify_index(path).findings[:1])
        with place.open("r+b") as file:
            file.seek(offset)
            file.write(bytes([byte]))
    (path / names[0]).rename(path / "elsewhere")
    with pytest.raises(IndexDamagedError, match="missing"):
        Index.open(path)


def test_points_that_are_missing_are_noticed(path, monkeypatch):
    monkeypatch.setattr(EmbeddedEngine, "n_points", lambda _: 99)
    with Index.open(path) as index, pytest.raises(IndexDamagedError, match=r"99 points, 100 were written"):
        index.search(Query(ROWS[0], FINGERPRINT), 3)


def test_a_writer_may_remove_the_files_before_the_first_search(path):
    with Index.open(path) as index:
        with IndexWriter.open(path) as writer:
            writer.build_store("exact")
        assert not list((path / "store").iterdir())
        assert len(index.search(Query(ROWS[0], FINGERPRINT), 5)) == 5


def test_a_condition_is_pushed_down_only_while_the_payloads_are_true(path, monkeypatch):
    asked: list[object] = []
    find = EmbeddedEngine.find

    def watched(self: EmbeddedEngine, *values: object, condition: object, **more: object) -> object:
        asked.append(condition)
        return find(self, *values, condition=condition, **more)

    monkeypatch.setattr(EmbeddedEngine, "find", watched)
    monkeypatch.setattr("indexer.stores.exact.FEW_ROWS", 5)
    where = Compare("view", "=", "CC")

    def search() -> None:
        store, made = store_of(path)
        places = made.catalog.places_of(range(made.embeddings.n_rows))
        allowed = np.array([any(holds(where, item) for item in place.items) for place in places.values()])
        found = store.search(ROWS[:5], 6, allowed=allowed, where=where)
        truth = ExactStore(made.embeddings).search(ROWS[:5], 6, allowed=allowed)
        for mine, true in zip(found, truth, strict=True):
            np.testing.assert_array_equal(mine.rows, true.rows)
        store.close()

    search()
    assert all(condition is not None for condition in asked)
    assert asked
    with IndexWriter.open(path) as writer:  # new rows leave the payloads of old ones true
        add(writer, "/new", ROWS[110], metadata={"view": "CC"})
        writer.remove_paths(["/new"])
        writer.commit()
    with Index.open(path) as index:
        assert index.info().is_payload_current
    with IndexWriter.open(path) as writer:
        writer.update_annotations("/g/0", label=None, group=None, metadata={"view": "MLO"})
        writer.commit()
    asked.clear()
    search()
    assert not any(asked)
    with Index.open(path) as index:
        assert index.info().is_payload_current is False


def test_an_item_that_joins_an_old_row_makes_the_payloads_untrue(path):
    with IndexWriter.open(path) as writer:
        writer.link_file(record_of("/copy", "/g/3", "duplicate"), metadata={"view": "CC"})
        writer.commit()
    with Index.open(path) as index:
        assert index.info().is_payload_current is False


def test_an_item_that_comes_back_to_a_dead_row_makes_the_payloads_untrue(path):
    with Index.open(path) as index, IndexWriter.open(path) as writer:
        writer.remove([id_of(index, "/g/3")])
        writer.commit()
        with Index.open(path) as later:
            assert later.info().is_payload_current
        writer.link_file(record_of("/back", "/g/3"), metadata={"view": "CC"})
        writer.commit()
    with Index.open(path) as index:
        assert index.info().is_payload_current is False


def test_a_query_that_is_not_a_number_never_reaches_the_engine(path):
    wrong = ROWS[0].copy()
    wrong[3] = np.nan
    with Index.open(path) as index, pytest.raises(VectorError, match="finite"):
        index.search(Query(wrong, FINGERPRINT), 3)
    with IndexWriter.open(path) as writer, pytest.raises(VectorError, match="finite"):
        add(writer, "/nan", wrong)


def test_a_process_that_was_forked_is_told_to_open_its_own(path, monkeypatch):
    store, _ = store_of(path)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(RuntimeError, match="open the index in each process"):
        store.search(ROWS[:1], 3)


def test_a_disk_without_room_for_the_graph_is_said_before_the_work(path, monkeypatch):
    before = answers(path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 100))
    with IndexWriter.open(path) as writer:
        writer.build_store("exact")
        with pytest.raises(IndexWriteError, match=r"needs about .* MiB are free"):
            writer.build_store("qdrant")
    assert answers(path) == before


@pytest.mark.parametrize("fail_at", [1, 30])
def test_a_refusal_at_a_call_of_ours_leaves_the_index(path, monkeypatch, fail_at):
    before = answers(path)
    calls = iter(range(1, 10_000))

    def fsync(_: int) -> None:
        if next(calls) == fail_at:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    with IndexWriter.open(path) as writer:
        writer.build_store("exact")
        monkeypatch.setattr("indexer.storage.durable._fsync", fsync)
        with pytest.raises(IndexWriteError, match="as it was at its last commit"):
            writer.build_store("qdrant")
    assert answers(path) == before
    IndexWriter.open(path).close()
    assert not list((path / "store").iterdir())


def test_info_says_what_the_store_is_to_people(path):
    command = [sys.executable, "-m", "cli", "index", "info", "-i", str(path)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "qdrant; embedded, 100 points; recall@10 1.0 when built; filters by its payloads" in said


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """Eight MiB, or a skip."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if os.getuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk takes root")
    yield place
    subprocess.run([shutil.which("umount") or "umount", "-l", str(place)], check=True, capture_output=True)


FILL = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from gallery import *
from cbir.errors import IndexWriteError
path = Path(sys.argv[1])
gallery(path, unit_rows(300, 8), store="exact")
(path.parent / "ballast").write_bytes(bytes(int(sys.argv[3])))
with IndexWriter.open(path) as writer:
    try:
        writer.build_store("qdrant")
    except IndexWriteError as error:
        print(error)
        sys.exit(7)
"""


@pytest.mark.parametrize("ballast", [6_600_000, 7_200_000])
def test_a_disk_that_fills_up_while_the_engine_writes_leaves_the_index(small_disk, ballast):
    path = small_disk / "full.index"
    helpers = str(Path(__file__).parents[1] / "indexer")
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(path), helpers, str(ballast)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 7, (done.returncode, done.stdout, done.stderr)
    assert "as it was at its last commit" in done.stdout
    (small_disk / "ballast").unlink()
    with Index.open(path) as index:
        assert len(index.search(Query(unit_rows(1, 8)[0], index.fingerprint), 5)) == 5
    IndexWriter.open(path).close()
    assert not list((path / "store").iterdir())


def test_eight_bits_and_a_graph_reach_the_recall_that_is_asked_for(tmp_path, monkeypatch):
    layout = ShardLayout(int8=True, scan_up_to_kb=1)
    monkeypatch.setitem(
        STORES, "qdrant", StoreKind(partial(build_shard, layout=layout), STORES["qdrant"].open)
    )
    with Index.open(gallery(tmp_path / "codes.index", unit_rows(3000, 16), store="qdrant")) as index:
        assert index.info().store_settings["int8"] is True
        assert index.info().store_settings["recall_at_10"] >= 0.99
        assert index.verify().ok


def test_large_indexes_get_codes(monkeypatch, tmp_path):
    monkeypatch.setattr(embedded, "INT8_FROM", 50)
    with Index.open(gallery(tmp_path / "codes.index", ROWS, store="qdrant")) as index:
        assert index.info().store_settings["int8"] is True
