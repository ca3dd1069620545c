"""What must not grow with the number of items: what opening reads, what compacting holds."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest
from gallery import add, gallery, spec_of, unit_rows

from cbir.errors import IndexDamagedError
from cbir.types import Query
from indexer import Index, IndexWriter, verify, verify_index
from indexer import index as index_module
from indexer.asking import searcher
from indexer.asking.eligible import EligibleRows
from indexer.embeddings import Embeddings
from indexer.storage import durable, sealed
from indexer.storage.blocks import write_block
from indexer.stores import faiss as faiss_store


def test_opening_reads_no_catalog_and_no_embedding(path, monkeypatch):
    rows = unit_rows(40, 8)
    gallery(path, rows)
    read = []

    def noted(file):
        read.append(file.name)
        return seal_of(file)

    seal_of = durable.seal_of
    monkeypatch.setattr(sealed, "seal_of", noted)
    monkeypatch.setattr(sealed.SealedFile, "content", lambda self: read.append(self._path.name))
    with Index.open(path) as index:
        assert len(index) == 40
    assert read == ["branch0.onnx"]


def test_a_damaged_catalog_is_noticed_at_every_question_until_it_is_whole(path):
    rows = unit_rows(40, 8)
    gallery(path, rows)
    catalog = next(path.glob("catalog-*"))
    content = bytearray(catalog.read_bytes())
    content[-1] ^= 1
    catalog.write_bytes(content)
    with Index.open(path) as index:
        for _ in range(2):
            with pytest.raises(IndexDamagedError, match=catalog.name):
                index.labels()
        with pytest.raises(IndexDamagedError, match=catalog.name):
            index.search(Query(rows[3], spec_of(8).fingerprint), 3)


def test_a_compacted_catalog_is_small_whole_and_has_all_of_its_indexes(path):
    gallery(path, unit_rows(600, 8))
    before = _schema(path)
    size = next(path.glob("catalog-*")).stat().st_size
    with IndexWriter.open(path) as writer:
        writer.remove_paths(f"/g/{number}" for number in range(0, 600, 2))
        assert writer.compact() == 300
        add(writer, "/g/new", unit_rows(1, 8, seed=5)[0])
        writer.commit()
    assert _schema(path) == before
    assert next(path.glob("catalog-*")).stat().st_size < 0.7 * size
    assert verify_index(path).ok


def test_compacting_holds_no_catalog_in_memory(path):
    statements = []
    gallery(path, unit_rows(60, 8))
    with IndexWriter.open(path) as writer:
        writer.remove_paths(["/g/7"])
        opened = writer._scratch._connection
        opened.set_trace_callback(statements.append)
        assert writer.compact() == 1
    assert any(each.startswith("VACUUM INTO") for each in statements)
    assert "VACUUM" not in statements


def test_embeddings_of_another_length_are_found_in_every_part_of_a_block(tmp_path, monkeypatch):
    monkeypatch.setattr(verify, "_CHUNK_ROWS", 7)
    rows = unit_rows(40, 8)
    rows[[0, 6, 7, 22, 39]] *= 1.01
    rows[30, 0] = np.nan
    made = [
        write_block(tmp_path, n, s, list(rows[s:e]), [b""] * (e - s)) for n, s, e in [(0, 0, 20), (1, 20, 40)]
    ]
    files = {name: seal for block in made for name, seal in block.files.items()}
    found = verify._of_other_length(Embeddings(tmp_path, [block.ref for block in made], files, 8))
    assert found.tolist() == [0, 6, 7, 22, 30, 39]


def _schema(path):
    (catalog,) = path.glob("catalog-*")
    with sqlite3.connect(f"{catalog.as_uri()}?mode=ro&immutable=1", uri=True) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    connection.close()
    return found


@pytest.mark.parametrize(("limit", "kind"), [(39, "ApproximateStore"), (40, "ExactStore")])
def test_asking_a_large_index_once_reads_the_files_of_its_store(path, monkeypatch, limit, kind):
    monkeypatch.setattr(faiss_store.build, "__kwdefaults__", {"flat_limit": 10})
    monkeypatch.setattr(index_module, "_ASK_ONCE_ROWS", limit)
    rows = unit_rows(40, 8)
    gallery(path, rows)
    with Index.open(path, resident=False) as index:
        (hit,) = index.search(Query(rows[3], spec_of(8).fingerprint), 1)
        assert hit.item.path == "/g/3"
        assert type(index._searcher._store).__name__ == kind


def test_many_queries_with_bounds_of_their_own_hold_a_bounded_number_of_them(path, monkeypatch):
    gallery(path, unit_rows(40, 8))
    asked_at_once = []
    of_each = EligibleRows.of_each

    def counted(self, queries, **bounds):
        asked_at_once.append(len(queries))
        return of_each(self, queries, **bounds)

    with Index.open(path) as index:
        queries = [index.query(item.id) for item in index.items()]
        whole = index.search_many(queries, 5, exclude_same_group=True)
        monkeypatch.setattr(EligibleRows, "of_each", counted)
        monkeypatch.setattr(searcher, "_MASK_BYTES", 40 * 7)
        assert index.search_many(queries, 5, exclude_same_group=True) == whole
    assert asked_at_once == [7, 7, 7, 7, 7, 5]
