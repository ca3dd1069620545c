"""Embeddings of others: every row accounted for, nothing taken twice, nothing half done."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from gallery import gallery, id_of, unit_rows

from cbir.errors import FingerprintError, ItemsError, SkipReason, SpecError, VectorError
from cbir.extractors.imported import imported_spec
from cbir.items import read_table
from cbir.types import Query
from indexer import Index, IndexWriter, import_embeddings, open_embeddings, verify_index
from indexer.ingesting.account import IngestOptions

DIM = 6


def write_items(folder: Path, paths: list[str], header: str = "path") -> Path:
    rows = [f"{path},l{number % 2},g{number // 2}" for number, path in enumerate(paths)]
    (folder / "items.csv").write_text("\n".join([f"{header},label,group", *rows]), encoding="utf-8")
    return folder / "items.csv"


def write_image(path: Path, seed: int) -> None:
    cv2.imwrite(str(path), np.random.default_rng(seed).integers(0, 255, (40, 30), dtype=np.uint8))


@pytest.fixture
def importing(tmp_path):
    """Import a matrix for some paths."""

    def run(matrix: np.ndarray, paths: list[str], **more):
        np.save(tmp_path / "rows.npy", matrix)
        items = read_table(str(write_items(tmp_path, paths)))
        options = {"name": "made", **more}
        return import_embeddings(
            tmp_path / "x.index", open_embeddings(tmp_path / "rows.npy"), items, **options
        )

    return run


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4"])
def test_rows_come_to_unit_length_in_the_order_of_the_items(importing, tmp_path, dtype):
    matrix = (unit_rows(5, DIM) * [[0.5], [3], [100], [7], [1]]).astype(dtype)
    report = importing(matrix, ["b", "a", "图像 é", "d", "c"])
    assert (report.found, report.indexed, report.interrupted) == (5, 5, False)
    with Index.open(tmp_path / "x.index") as index:
        assert not index.spec.can_embed
        for path, row in zip(["b", "a", "图像 é", "d", "c"], matrix.astype("f8"), strict=True):
            query = index.query(id_of(index, str(tmp_path / path)))
            assert np.linalg.norm(query.embedding) == pytest.approx(1, abs=1e-6)
            assert query.embedding @ row / np.linalg.norm(row) == pytest.approx(1, abs=1e-6)
        assert {item.group for item in index.items()} == {"g0", "g1", "g2"}
    assert verify_index(tmp_path / "x.index").ok


def test_numbers_near_the_end_of_their_range_keep_their_direction(importing, tmp_path):
    matrix = np.array([[1e300, 1e300], [5e-324, 0], [1e-200, -1e-200]])
    assert importing(matrix, ["a", "b", "c"]).indexed == 3
    with Index.open(tmp_path / "x.index") as index:
        found = [index.query(id_of(index, str(tmp_path / path))).embedding for path in "abc"]
    np.testing.assert_allclose(found, [[0.5**0.5, 0.5**0.5], [1, 0], [0.5**0.5, -(0.5**0.5)]], rtol=1e-6)


def test_a_bad_row_is_skipped_with_its_reason_and_the_others_are_not(importing, tmp_path):
    matrix = unit_rows(5, DIM)
    matrix[1, 2], matrix[2, 0], matrix[3] = np.nan, np.inf, 0
    report = importing(matrix, list("abcde"))
    assert (report.found, report.indexed, report.skipped) == (5, 2, {SkipReason.BAD_EMBEDDING: 3})
    assert [record.detail for record in report.skipped_files] == [
        "the embedding holds values that are not finite",
        "the embedding holds values that are not finite",
        "the embedding is zero",
    ]
    with Index.open(tmp_path / "x.index") as index:
        assert [Path(item.path).name for item in sorted(index.items(), key=lambda item: item.path)] == [
            "a",
            "e",
        ]
        assert len(list(index.skipped())) == 3


def test_another_number_of_items_is_refused_with_both_numbers_and_nothing_is_made(importing, tmp_path):
    with pytest.raises(ItemsError, match=r"holds 4 embeddings, .* has 3 rows"):
        importing(unit_rows(4, DIM), list("abc"))
    assert not (tmp_path / "x.index").exists()


def test_an_image_that_is_there_is_known_by_its_bytes(importing, tmp_path):
    write_image(tmp_path / "one.png", 1)
    (tmp_path / "copy.png").write_bytes((tmp_path / "one.png").read_bytes())
    matrix = unit_rows(3, DIM)
    matrix[1] = matrix[0]
    report = importing(matrix, ["one.png", "copy.png", "gone.png"])
    assert (report.indexed, report.duplicate) == (2, 1)
    assert dict(report.notes) == {"known by path and embedding, image vanished": 1}
    content = hashlib.sha256((tmp_path / "one.png").read_bytes()).hexdigest()
    with Index.open(tmp_path / "x.index") as index:
        records = {Path(record.path).name: record for record in index.files()}
        assert records["one.png"].sha256 == records["copy.png"].sha256 == content
        there = (tmp_path / "one.png").stat()
        assert (records["one.png"].size, records["one.png"].mtime_ns) == (there.st_size, there.st_mtime_ns)
        made = hashlib.sha256(b"gone.png\0" + matrix[2].tobytes()).hexdigest()
        assert (records["gone.png"].sha256, records["gone.png"].size) == (made, 0)
        assert {index.thumbnail(item.id) for item in index.items()} == {b""}


def test_copies_with_different_embeddings_are_told(importing, tmp_path):
    write_image(tmp_path / "one.png", 1)
    (tmp_path / "copy.png").write_bytes((tmp_path / "one.png").read_bytes())
    report = importing(unit_rows(2, DIM), ["one.png", "copy.png"])
    assert (report.indexed, report.duplicate) == (1, 1)
    assert any("another embedding" in note for note in report.notes)


def test_empty_files_and_links_are_not_copies_of_one_image(importing, tmp_path):
    write_image(tmp_path / "one.png", 1)
    for name in ("empty 1.png", "empty 2.png"):
        (tmp_path / name).touch()
    (tmp_path / "link.png").symlink_to(tmp_path / "one.png")
    report = importing(unit_rows(4, DIM), ["one.png", "empty 1.png", "empty 2.png", "link.png"])
    assert (report.indexed, report.duplicate) == (4, 0)
    assert sorted(report.notes.values()) == [1, 2]


def test_thumbnails_are_made_of_what_can_be_decoded(importing, tmp_path):
    write_image(tmp_path / "one.png", 1)
    (tmp_path / "text.png").write_text("no image")
    options = IngestOptions(n_workers=1)
    paths = ["one.png", "text.png", "gone.png"]
    report = importing(unit_rows(3, DIM), paths, thumbnails=True, options=options)
    assert report.indexed == 3
    assert report.notes["no thumbnail: not_an_image"] == 1
    with Index.open(tmp_path / "x.index") as index:
        pictures = [index.thumbnail(id_of(index, str(tmp_path / path))) for path in paths]
    assert pictures[0].startswith(b"\xff\xd8")
    assert pictures[1:] == [b"", b""]
    assert importing(unit_rows(3, DIM), paths, thumbnails=True, options=options).unchanged == 3


def test_a_second_run_changes_nothing_but_what_the_items_say(importing, tmp_path):
    matrix = unit_rows(4, DIM)
    matrix[3] = 0
    importing(matrix, list("abcd"))
    generation = Index.open(tmp_path / "x.index").generation
    report = importing(matrix, list("abcd"))
    assert (report.unchanged, report.indexed, sum(report.skipped.values())) == (3, 0, 1)
    items = tmp_path / "items.csv"
    items.write_text(items.read_text().replace("l0", "new"))
    report = import_embeddings(
        tmp_path / "x.index", open_embeddings(tmp_path / "rows.npy"), read_table(str(items)), name="made"
    )
    assert report.unchanged == 3
    with Index.open(tmp_path / "x.index") as index:
        assert index.labels() == {"l1": 1, "new": 2}
        assert index.generation > generation


def test_an_interrupted_import_goes_on_to_the_same_index(importing, tmp_path):
    matrix, paths = unit_rows(9, DIM), list("abcdefghi")
    report = importing(matrix, paths, on_progress=lambda progress: progress.found == 4)
    assert (report.found, report.indexed, report.interrupted) == (4, 4, True)
    with Index.open(tmp_path / "x.index") as index:
        assert len(index) == 4
    told = []
    report = importing(matrix, paths, on_progress=told.append)
    assert (report.unchanged, report.indexed, report.interrupted) == (4, 5, False)
    assert (told[-1].found, told[-1].acknowledged) == (9, 9)
    assert verify_index(tmp_path / "x.index").n_items == 9


def test_a_failure_leaves_the_last_commit_and_can_be_gone_on_from(importing, tmp_path):
    class StopError(Exception):
        pass

    def stop(progress):
        if progress.found == 5:
            raise StopError

    matrix, paths = unit_rows(9, DIM), list("abcdefghi")
    with pytest.raises(StopError):
        importing(matrix, paths, on_progress=stop)
    assert verify_index(tmp_path / "x.index").n_items == 0
    with pytest.raises(StopError):
        importing(matrix, paths, on_progress=stop, options=IngestOptions(commit_every_s=0))
    assert verify_index(tmp_path / "x.index").ok
    assert importing(matrix, paths).found == 9
    assert verify_index(tmp_path / "x.index").n_items == 9


def test_other_files_are_not_imported_on_top(importing, tmp_path):
    importing(unit_rows(3, DIM), list("abc"))
    with pytest.raises(ItemsError, match=r"holds an import already, .*\(embeddings\)"):
        importing(unit_rows(3, DIM, seed=1), list("abc"))
    with pytest.raises(ItemsError, match=r"\(paths\)"):
        importing(unit_rows(3, DIM), list("bac"))
    with pytest.raises(ItemsError, match=r"\(thumbnails\)"):
        importing(unit_rows(3, DIM), list("abc"), thumbnails=True)
    with pytest.raises(FingerprintError, match=r"embeddings of made .* now other"):
        importing(unit_rows(3, DIM), list("abc"), name="other")
    assert verify_index(tmp_path / "x.index").n_items == 3


def test_an_index_of_images_is_not_imported_into(importing, tmp_path):
    gallery(tmp_path / "x.index", unit_rows(3, DIM))
    with pytest.raises(FingerprintError, match="Import into another directory"):
        importing(unit_rows(3, DIM), list("abc"))


def test_names_and_stores_that_make_no_sense_are_refused(importing, tmp_path):
    for more in ({"name": ""}, {"sha256": "1"}, {"store": "none"}):
        with pytest.raises(SpecError):
            importing(unit_rows(2, DIM), list("ab"), **more)
    assert not (tmp_path / "x.index" / "manifest.json").exists()


def test_a_fresh_embedding_of_the_same_name_may_ask(importing, tmp_path):
    rows = unit_rows(6, DIM)
    importing(rows, list("abcdef"), sha256="ab" * 32)
    fingerprint = imported_spec("made", DIM, sha256="ab" * 32).fingerprint
    with Index.open(tmp_path / "x.index") as index:
        hits = index.search(Query(rows[4], fingerprint), 2)
        assert hits[0].item.path == str(tmp_path / "e")
        with pytest.raises(FingerprintError):
            index.search(Query(rows[4], imported_spec("made", DIM).fingerprint), 2)


def test_items_are_removed_and_compacted_as_in_any_index(importing, tmp_path):
    importing(unit_rows(5, DIM), list("abcde"), store="exact")
    path = tmp_path / "x.index"
    with IndexWriter.open(path) as writer:
        assert writer.remove_paths([str(tmp_path / "b")]) == 1
        assert writer.compact() == 1
    assert verify_index(path).n_rows == 4


def test_a_file_that_is_damaged_in_the_middle_stops_the_import_in_a_line(tmp_path):
    np.save(tmp_path / "rows.npy", unit_rows(3, DIM))
    matrix = open_embeddings(tmp_path / "rows.npy")

    def rows():
        yield from list(matrix.rows())[:2]
        raise VectorError("the third page is damaged")

    items = read_table(str(write_items(tmp_path, list("abc"))))
    with pytest.raises(VectorError, match="third page"):
        import_embeddings(tmp_path / "x.index", replace(matrix, rows=rows), items, name="made")
    assert verify_index(tmp_path / "x.index").n_items == 0


def test_the_path_may_be_in_another_column(tmp_path):
    items = write_items(tmp_path, ["x1", os.fsdecode(b"x2")], header="image_id")
    assert [row.path for row in read_table(str(items), path_column="image_id").rows] == [
        str(tmp_path / "x1"),
        str(tmp_path / "x2"),
    ]
    with pytest.raises(ItemsError, match=r"no column 'file'; .* Correct --path"):
        read_table(str(items), path_column="file")
    with pytest.raises(ItemsError, match="'image_id' can't be the label too"):
        read_table(str(items), path_column="image_id", label_column="image_id")
    assert read_table(str(items), path_column="label", group_column="group").rows[0].label is None
