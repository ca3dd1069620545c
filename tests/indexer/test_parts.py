"""An image in parts: several embeddings, one item."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gallery import fill_model, gallery, id_of, image_of, record_of, spec_of, unit_rows
from numpy.typing import NDArray

from cbir.errors import VectorError
from cbir.types import Query
from indexer import Index, IndexWriter

DIM = 8
ROWS = unit_rows(60, DIM, seed=5)
FINGERPRINT = spec_of(DIM).fingerprint
NEAR = np.array([0.6, 0.8, *[0] * 6], np.float32), np.array([1, *[0] * 7], np.float32)  # cosine 0.6


def boxes_of(n_parts: int) -> tuple[tuple[int, int, int, int], ...]:
    return tuple((10 * part, 0, 10, 20) for part in range(n_parts))


def add_parts(writer: IndexWriter, path: str, rows: NDArray[np.float32], **said: object) -> None:
    """One file with one image, of which every row is a part; its content is named after its path."""
    image = image_of(path, rows, boxes=boxes_of(len(rows)), group=f"patient of {path}", instance=path)
    writer.add_file(record_of(path, path), [image], **said)


@pytest.fixture
def parts(path) -> Path:
    """/one has 1 part, /five has 5, /three has 3; then /whole, which is not in parts."""
    with IndexWriter.create(path, spec_of(DIM), fill_model) as writer:
        for name, start, stop in (("/one", 0, 1), ("/five", 1, 6), ("/three", 6, 9)):
            add_parts(writer, name, ROWS[start:stop], group=name[1])
        writer.add_file(record_of("/whole", "/whole"), [image_of("/whole", ROWS[9])], group="f")
        writer.commit()
    return path


def found(index: Index, embedding: NDArray[np.float32], k: int = 99, **how: object) -> list[tuple]:
    hits = index.search(Query(embedding, FINGERPRINT, group=how.pop("group", None)), k, **how)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    return [(hit.item.path, round(hit.score, 4), hit.box) for hit in hits]


def test_an_image_in_parts_is_one_item_and_its_hit_says_which_part_it_was(parts):
    with Index.open(parts) as index:
        assert (len(index), index.info().n_rows) == (4, 10)
        assert found(index, ROWS[3], 1) == [("/five", 1.0, (20, 0, 10, 20))]
        assert found(index, ROWS[8], 1) == [("/three", 1.0, (20, 0, 10, 20))]
        assert found(index, ROWS[0], 1) == [("/one", 1.0, (0, 0, 10, 20))]
        assert found(index, ROWS[9], 1) == [("/whole", 1.0, None)]
        assert {name for name, _, _ in found(index, ROWS[3])} == {"/one", "/five", "/three", "/whole"}
        assert index.verify().ok


def test_k_items_are_found_however_many_parts_the_best_ones_have(writer, path):
    near, query = NEAR
    add_parts(writer, "/crowd", np.repeat(near[np.newaxis], 50, axis=0))
    for number, row in enumerate(-ROWS[:20]):
        writer.add_file(record_of(f"/{number}", f"{number}"), [image_of(f"{number}", row)])
    writer.commit()
    for store in ("exact", "faiss"):
        with Index.open(path, store=store) as index:
            for k in (1, 2, 5, 21, 22):
                hits = index.search(Query(query, FINGERPRINT), k)
                assert len({hit.item.id for hit in hits}) == len(hits) == min(k, 21)
            assert found(index, near, 1) == [("/crowd", 1.0, (0, 0, 10, 20))]  # of equal parts, the first


def test_a_query_in_parts_finds_what_any_of_them_finds(parts):
    with Index.open(parts) as index:
        assert found(index, ROWS[[8, 0]])[:2] in (
            [("/one", 1.0, (0, 0, 10, 20)), ("/three", 1.0, (20, 0, 10, 20))],
            [("/three", 1.0, (20, 0, 10, 20)), ("/one", 1.0, (0, 0, 10, 20))],
        )
        assert found(index, ROWS[[3]]) == found(index, ROWS[3]) == found(index, ROWS[[3, 3, 3]])


def test_an_item_as_a_query_brings_all_of_its_parts_and_finds_none_of_them(parts):
    with Index.open(parts) as index:
        query = index.query(id_of(index, "/five"))
        np.testing.assert_allclose(query.embedding, ROWS[1:6], atol=1e-6)
        assert index.query(id_of(index, "/one")).embedding.shape == (DIM,)
        hits = index.search(query, 99)
        assert {hit.item.path for hit in hits} == {"/one", "/three", "/whole"}
        best = {
            "/one": (ROWS[1:6] @ ROWS[0]).max(),
            "/three": (ROWS[1:6] @ ROWS[6:9].T).max(),
            "/whole": (ROWS[1:6] @ ROWS[9]).max(),
        }
        assert {hit.item.path: hit.score for hit in hits} == pytest.approx(best, abs=1e-6)


def test_what_is_left_out_is_left_out_with_all_of_its_parts(parts):
    with Index.open(parts) as index:
        out = [name for name, _, _ in found(index, ROWS[1:6], group="f", exclude_same_group=True)]
        assert sorted(out) == ["/one", "/three"]
        among = frozenset([id_of(index, "/five")])
        for embedding in (ROWS[0], ROWS[:9]):
            assert [name for name, _, _ in found(index, embedding, among=among)] == ["/five"]
        assert found(index, ROWS[5], among=among) == [("/five", 1.0, (40, 0, 10, 20))]
        batch = [Query(ROWS[start : start + 3], FINGERPRINT) for start in range(9)]
        alone = [index.search(query, 2, among=among) for query in batch]
        assert index.search_many(batch, 2, among=among) == alone
        mixed = [Query(ROWS[0], FINGERPRINT), *batch]
        assert index.search_many(mixed, 3) == [index.search(query, 3) for query in mixed]


def test_more_vectors_than_a_store_is_asked_for_at_once_are_asked_in_turns(parts, monkeypatch):
    with Index.open(parts) as index:
        queries = [Query(ROWS[start : start + 4], FINGERPRINT) for start in range(20)]
        wanted = index.search_many(queries, 3)
        monkeypatch.setattr("indexer.asking.searcher._MAX_VECTORS", 3)
        monkeypatch.setattr(index._searcher, "_chunk_rows", 2)
        assert index.search_many(queries, 3) == wanted


def test_copies_share_all_parts_and_the_last_one_takes_them_along(parts):
    with IndexWriter.open(parts) as writer:
        writer.link_file(record_of("/copy", "/five", "duplicate"))
        assert writer.remove_paths(["/five"]) == 1
        writer.commit()
        with Index.open(parts) as index:
            assert index.info().n_dead_rows == 0
            assert found(index, ROWS[3], 1) == [("/copy", 1.0, (20, 0, 10, 20))]
        writer.remove_paths(["/copy"])
        writer.commit()
        with Index.open(parts) as index:
            assert (index.info().n_rows, index.info().n_dead_rows) == (10, 5)
            assert "/copy" not in {name for name, _, _ in found(index, ROWS[1:6])}
            assert index.verify().ok
        assert writer.has_content(record_of("/five", "/five").sha256)
        writer.link_file(record_of("/back", "/five"))
        writer.commit()
    with Index.open(parts) as index:
        assert index.info().n_dead_rows == 0
        assert found(index, ROWS[5], 1) == [("/back", 1.0, (40, 0, 10, 20))]
        assert index.item(id_of(index, "/back")).group == "patient of /five"


def test_a_moved_file_keeps_its_parts_and_a_changed_one_gets_others(parts):
    with IndexWriter.open(parts) as writer:
        writer.move_file("/five", record_of("/moved", "/five"))
        image = image_of("changed", ROWS[20:22], boxes=boxes_of(2))
        writer.add_file(record_of("/three", "changed"), [image])
        writer.commit()
    with Index.open(parts) as index:
        assert found(index, ROWS[3], 1) == [("/moved", 1.0, (20, 0, 10, 20))]
        assert found(index, ROWS[21], 1) == [("/three", 1.0, (10, 0, 10, 20))]
        assert index.info().n_dead_rows == 3
        assert index.verify().ok


def test_compacting_keeps_the_parts_of_what_is_left_together(parts):
    with IndexWriter.open(parts) as writer:
        writer.remove_paths(["/one"])
        writer.commit()
        with Index.open(parts) as index:
            before = found(index, ROWS[:5])
        assert writer.compact() == 1
        writer.remove_paths(["/five"])
        assert writer.compact() == 5
        add_parts(writer, "/late", ROWS[30:33])
        writer.commit()
    with Index.open(parts) as index:
        left = {name: (score, box) for name, score, box in found(index, ROWS[:5])}
        was = {name: (score, box) for name, score, box in before}
        assert set(left) == {"/three", "/whole", "/late"}
        assert {name: left[name] for name in ("/three", "/whole")} == {
            name: was[name] for name in ("/three", "/whole")
        }
        assert found(index, ROWS[32], 1) == [("/late", 1.0, (20, 0, 10, 20))]
        assert index.verify().ok


def test_only_the_first_part_has_the_thumbnail(parts):
    with Index.open(parts) as index:
        assert index.thumbnail(id_of(index, "/five")) == b"thumbnail of /five"
        assert [index._embeddings.thumbnail(row) for row in range(1, 6)] == [
            b"thumbnail of /five",
            *[b""] * 4,
        ]


def test_parts_that_outgrow_memory_in_the_middle_of_an_image_stay_together(path, monkeypatch):
    monkeypatch.setattr("indexer.writing.pending.FLUSH_BYTES", 100)
    monkeypatch.setattr("indexer.storage.blocks.MAX_SMALL_BLOCKS", 4)
    with IndexWriter.create(path, spec_of(DIM), fill_model) as writer:
        for number in range(10):
            add_parts(writer, f"/{number}", ROWS[6 * number : 6 * number + 5])
            writer.commit()
    with Index.open(path) as index:
        for number in range(10):
            assert found(index, ROWS[6 * number + 4], 1) == [(f"/{number}", 1.0, (40, 0, 10, 20))]
        assert index.verify().ok


def test_an_instance_and_its_bytes_are_known_once(parts):
    with IndexWriter.open(parts) as writer:
        sha256 = record_of("/five", "/five").sha256
        assert writer.instance("/five")[0] == sha256
        assert writer.paths_with(sha256) == ["/five"]
        frames = [image_of("film", ROWS[30 + 2 * n : 32 + 2 * n], frame=n) for n in range(2)]
        writer.add_file(record_of("/film", "film"), frames)
        writer.link_file(record_of("/film again", "film", "duplicate"))
        writer.commit()
    with Index.open(parts) as index:
        again = [item for item in index.items() if item.path == "/film again"]
        assert [item.frame for item in sorted(again, key=lambda item: item.frame)] == [0, 1]
        assert found(index, ROWS[33], 1)[0][2] is None  # parts without boxes
        assert index.verify().ok


@pytest.mark.parametrize(
    ("rows", "n_boxes", "says"),
    [
        (ROWS[:3], 2, "3 parts and 2 boxes"),
        (ROWS[0], 2, "1 parts and 2 boxes"),
        (ROWS[:0], 0, "no part"),
        (ROWS[:3] * np.array([[1], [1], [2]], np.float32), 3, "length 2"),
    ],
)
def test_parts_that_do_not_fit_are_refused_and_nothing_is_added(writer, path, rows, n_boxes, says):
    fine = image_of("f", ROWS[:2], boxes=boxes_of(2))
    with pytest.raises((ValueError, VectorError), match=says):
        writer.add_file(record_of("/f", "f"), [fine, image_of("f", rows, frame=1, boxes=boxes_of(n_boxes))])
    writer.commit()
    with Index.open(path) as index:
        assert (len(index), index.info().n_rows) == (0, 0)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("UPDATE contents SET head = 0 WHERE row = 8", "1 embeddings do not follow the first part"),
        ("UPDATE contents SET frame = 1 WHERE row = 4", "1 embeddings do not follow the first part"),
        ("UPDATE items SET row = 2 WHERE path = CAST('/five' AS BLOB)", "1 items have no embedding"),
        ("INSERT INTO dead_rows VALUES (4)", "1 embeddings have an item and are marked"),
        ("DELETE FROM items WHERE row = 1; ", None),
        ("DELETE FROM contents WHERE row = 5", "Embeddings are counted differently"),
    ],
)
def test_verify_says_what_is_wrong_with_the_parts(parts, damage, says):
    with IndexWriter.open(parts) as writer:
        with writer._scratch.editing() as connection:
            connection.execute(damage)
        writer.commit()
    with Index.open(parts) as index:
        findings = index.verify().findings
    assert any(says in finding for finding in findings) if says else not findings


def test_an_index_without_parts_asks_the_store_for_no_more_than_before(tmp_path):
    with Index.open(gallery(tmp_path / "whole.index", ROWS)) as index:
        assert index._manifest.rows_per_item == 1
