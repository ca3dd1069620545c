"""What two indexes have in common, and what not."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gallery import add, fill_model, gallery, image_of, record_of, spec_of, unit_rows

from cbir.errors import IndexMissingError
from indexer import IndexWriter
from indexer.difference import compare_indexes

DIM = 6
ROWS = unit_rows(60, DIM, seed=12)


@pytest.fixture
def a(tmp_path: Path) -> Path:
    return gallery(tmp_path / "a.index", ROWS[:10])


@pytest.fixture
def b(a: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(a, tmp_path / "b.index"))


def test_a_copy_is_equal_in_either_order_whatever_its_store_and_format(a, b, golden_index, tmp_path):
    with IndexWriter.open(b) as writer:
        writer.build_store("exact")
    for order in ("path", "content"):
        found = compare_indexes(a, b, order=order)
        assert found.equal
        assert (found.n_same, found.n_items, found.largest_delta) == (10, (10, 10), 0.0)
        assert found.settings == {"store": ("faiss", "exact")}
    old = golden_index(1)
    new = Path(shutil.copytree(old, tmp_path / "new.index"))
    with IndexWriter.open(new) as writer:
        writer.commit()
    found = compare_indexes(old, new)
    assert found.equal
    assert found.settings == {"format": (1, 2)}


def test_every_kind_of_difference_is_counted_once(a, b):
    with IndexWriter.open(b) as writer:
        writer.remove_paths(["/g/0"])
        add(writer, "/new", ROWS[20])
        writer.update_annotations("/g/1", label="other", group="g0", metadata={"view": "CC"})
        writer.add_file(record_of("/g/2", "changed"), [image_of("changed", ROWS[21])], label="l2", group="g0")
        writer.commit()
    found = compare_indexes(a, b)
    assert not found.equal
    assert (found.only_a.examples, found.only_b.examples) == (["/g/0"], ["/new"])
    assert (found.other_annotations.examples, dict(found.columns)) == (["/g/1"], {"label": 1, "view": 1})
    assert found.other_bytes.examples == ["/g/2"]
    assert (found.other_embeddings.count, found.n_same, found.largest_delta) == (0, 7, 0.0)
    back = compare_indexes(b, a)
    assert (back.only_a.examples, back.only_b.examples, back.n_same) == (["/new"], ["/g/0"], 7)


def test_another_embedding_of_the_same_bytes_is_found_with_its_largest_difference(a, tmp_path):
    turned = ROWS[:10].copy()
    turned[4, [0, 1]] = turned[4, [1, 0]]
    turned[7] = np.nextafter(turned[7], 1, dtype=np.float32)  # no score tells
    found = compare_indexes(a, gallery(tmp_path / "t.index", turned))
    assert (found.other_embeddings.examples, found.n_same) == (["/g/4"], 9)
    assert found.largest_delta == pytest.approx(abs(ROWS[4, 0] - ROWS[4, 1]), abs=1e-6)


def test_by_content_an_image_is_the_same_under_another_path(a, b):
    with IndexWriter.open(b) as writer:
        writer.move_file("/g/3", replace(record_of("/g/3", "/g/3"), path="/moved"))
        writer.link_file(replace(record_of("/x", "/g/5"), outcome="duplicate"), label="l2", group="g1")
        writer.commit()
    assert compare_indexes(a, b).only_b.examples == ["/moved", "/x"]
    found = compare_indexes(a, b, order="content")
    assert (found.only_a.count, found.only_b.examples, found.n_same) == (0, ["/x"], 10)


def test_parts_are_compared_part_by_part(tmp_path):
    def made(name: str, parts: np.ndarray) -> Path:
        with IndexWriter.create(tmp_path / name, spec_of(DIM), fill_model) as writer:
            for number in range(3):
                writer.add_file(record_of(f"/{number}", f"{number}"), [image_of(f"{number}", parts[number])])
            writer.commit()
        return tmp_path / name

    parts = ROWS[:12].reshape(3, 4, DIM)
    other = parts.copy()
    other[1, 3] = ROWS[30]
    a = made("p.index", parts)
    assert compare_indexes(a, made("q.index", other)).other_embeddings.examples == ["/1"]
    found = compare_indexes(a, made("r.index", parts[:, :2]))
    assert (found.other_embeddings.count, found.largest_delta) == (3, None)


def test_another_extractor_or_dimension_is_said_and_nothing_is_computed(a, tmp_path):
    other = gallery(tmp_path / "o.index", unit_rows(10, 4))
    found = compare_indexes(a, other)
    assert (found.same_extractor, found.equal, found.largest_delta) == (False, False, None)
    assert found.settings["dim"] == (6, 4)
    with pytest.raises(IndexMissingError):
        compare_indexes(a, tmp_path / "none.index")


def test_many_items_are_compared_a_few_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr("indexer.listing.PAGE", 7)
    monkeypatch.setattr("indexer.difference._MAX_WAITING", 5)
    a, b = gallery(tmp_path / "a.index", ROWS), gallery(tmp_path / "b.index", ROWS[:50])
    for order in ("path", "content"):
        found = compare_indexes(a, b, order=order)
        assert (found.n_same, found.only_a.count, len(found.only_a.examples)) == (50, 10, 5)
