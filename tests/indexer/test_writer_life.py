"""The writer's life: a new index, commits, compaction, locks, what a killed one leaves."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from gallery import add, fill_model, gallery, id_of, spec_of, unit_rows

from cbir.errors import IndexLockedError, IndexMissingError, IndexWriteError, SpecError
from indexer import Index, IndexWriter

ROWS = unit_rows(40, 8)


def paths_of(path: Path) -> dict[str, str]:
    with Index.open(path) as index:
        return {item.path: item.id for item in index.items()}


def test_a_new_index_is_empty_and_can_be_opened(writer, path):
    with Index.open(path) as index:
        assert (len(index), index.generation, index.spec) == (0, 0, spec_of(8))
        assert (index.model_dir / "branch0.onnx").is_file()
        assert index.verify().ok


def test_readers_see_nothing_before_the_commit_and_everything_after(writer, path):
    add(writer, "/a", ROWS[0])
    assert paths_of(path) == {}
    assert writer.commit() == 1
    assert list(paths_of(path)) == ["/a"]


def test_a_commit_without_changes_publishes_nothing(writer):
    add(writer, "/a", ROWS[0])
    assert writer.commit() == writer.commit() == 1
    writer.update_annotations("/a", label=None, group=None, metadata={})
    writer.set_memo("sources", None)
    assert writer.remove(["no such item"]) == 0
    assert writer.commit() == 1


def test_leaving_without_a_commit_gives_the_changes_up(path):
    with IndexWriter.create(path, spec_of(8), fill_model) as writer:
        add(writer, "/a", ROWS[0])
    assert paths_of(path) == {}
    assert sorted(entry.name for entry in path.iterdir()) == [
        "catalog-00000000.sqlite",
        "manifest.json",
        "model",
        "writer.lock",
    ]


def test_compacting_drops_what_was_removed_and_answers_as_before(path):
    gallery(path, ROWS)
    with Index.open(path) as index:
        removed = [id_of(index, f"/g/{number}") for number in (0, 3, 17, 39)]
        kept = [item for item in index.items() if item.id not in removed]
        query = index.query(kept[5].id)
        thumbnails = {item.id: index.thumbnail(item.id) for item in kept}
    with IndexWriter.open(path) as writer:
        assert writer.remove(removed) == 4
        writer.commit()
        with Index.open(path) as index:
            before = index.search(query, 40)
        assert writer.compact() == 4
        assert writer.compact() == 0
        add(writer, "/later", ROWS[0])
        writer.commit()
    with Index.open(path) as index:
        assert (index.info().n_rows, index.info().n_dead_rows) == (37, 0)
        after = [(hit.score, hit.item) for hit in index.search(query, 40) if hit.item.path != "/later"]
        assert after == [(hit.score, hit.item) for hit in before]
        assert {item.id: index.thumbnail(item.id) for item in kept} == thumbnails
        assert index.verify().ok
    assert b"/g/17" not in (path / "catalog-00000004.sqlite").read_bytes()


def test_many_commits_leave_few_blocks_and_no_old_files(path, monkeypatch):
    monkeypatch.setattr("indexer.storage.blocks.MAX_SMALL_BLOCKS", 8)
    with IndexWriter.create(path, spec_of(8), fill_model) as writer:
        for number in range(40):
            add(writer, f"/g/{number}", ROWS[number])
            writer.commit()
    assert len(list((path / "embeddings").iterdir())) <= 2 * 9
    assert len(list(path.glob("catalog-*"))) == 1
    with Index.open(path) as index:
        assert index.verify().ok
        for number in (0, 7, 8, 9, 39):
            item_id = id_of(index, f"/g/{number}")
            np.testing.assert_allclose(index.query(item_id).embedding, ROWS[number], atol=1e-6)
            assert index.thumbnail(item_id) == f"thumbnail of /g/{number}".encode()


def test_rows_that_outgrow_memory_go_to_the_disk_before_the_commit(path, monkeypatch):
    monkeypatch.setattr("indexer.writing.pending.FLUSH_BYTES", 100)
    gallery(path, ROWS)
    with Index.open(path) as index:
        assert index.verify().ok
        assert len(index) == 40


def test_a_second_writer_is_refused_and_told_who_writes(writer, path):
    with pytest.raises(IndexLockedError, match=f"pid {os.getpid()}"):
        IndexWriter.open(path)
    writer.close()
    IndexWriter.open(path).close()


def test_an_index_is_not_made_over_anything_else(tmp_path, path):
    gallery(path, ROWS[:2])
    with pytest.raises(IndexWriteError, match="already"):
        IndexWriter.create(path, spec_of(8), fill_model)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(IndexWriteError, match="not empty"):
        IndexWriter.create(tmp_path / "full", spec_of(8), fill_model)
    assert [entry.name for entry in (tmp_path / "full").iterdir()] == ["thesis.txt"]


def test_an_unknown_store_is_refused_before_anything_is_made(path):
    with pytest.raises(SpecError, match="exact, faiss"):
        IndexWriter.create(path, spec_of(8), fill_model, store="annoy")
    assert not path.exists()


def test_writing_where_no_index_is_says_so(tmp_path):
    with pytest.raises(IndexMissingError, match="No index at"):
        IndexWriter.open(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_a_beginning_that_failed_can_be_begun_again(path):
    def fail(_: Path) -> None:
        raise SpecError("this network can't be exported")

    with pytest.raises(SpecError, match="exported"):
        IndexWriter.create(path, spec_of(8), fail)
    with pytest.raises(IndexMissingError):
        Index.open(path)
    gallery(path, ROWS)
    with Index.open(path) as index:
        assert index.verify().ok


def test_the_next_writer_removes_what_a_killed_one_left_and_nothing_else(path):
    gallery(path, ROWS)
    left = ["catalog-00000009.sqlite", "embeddings/000007.f32", "store/00000009/ivf", ".tmp-manifest.json"]
    for name in [*left, "scratch/catalog.sqlite", "notes.txt"]:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(b"left")
    IndexWriter.open(path).close()
    assert not [name for name in [*left, "scratch"] if (path / name).exists()]
    assert (path / "notes.txt").exists()
    with Index.open(path) as index:
        assert index.verify().ok


def test_a_closed_writer_refuses_to_write(path):
    writer = IndexWriter.create(path, spec_of(8), fill_model)
    writer.close()
    writer.close()
    with pytest.raises(IndexWriteError, match="closed"):
        add(writer, "/a", ROWS[0])
