"""Images that an index holds more than once, in three kinds kept apart."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gallery import add, fill_model, gallery, id_of, image_of, record_of, sha256_of, spec_of, unit_rows
from hypothesis import given
from hypothesis import strategies as st

from cbir.errors import ColumnError, SpecError, TenantError
from indexer import Index, IndexWriter
from indexer.asking.tenants import remember_tenant_column
from indexer.duplicates import Duplicates, find_duplicates
from indexer.duplicates.near import likeness

DIM = 8
ROWS = unit_rows(12, DIM)


def near(row: np.ndarray, cosine: float, seed: int = 0) -> np.ndarray:
    """A unit vector at this cosine."""
    row = row.astype(np.float64) / np.linalg.norm(row.astype(np.float64))
    away = np.random.default_rng(seed).standard_normal(DIM)
    away -= (away @ row) * row
    return (cosine * row + np.sqrt(1 - cosine**2) * away / np.linalg.norm(away)).astype(np.float32)


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    """a has a copy; b is a's picture in other bytes; c is near a, d near c; e and f are alone."""
    path = tmp_path_factory.mktemp("duplicates") / "g.index"
    with IndexWriter.create(path, spec_of(DIM), fill_model) as writer:
        add(writer, "/a", ROWS[0], group="anna", metadata={"split": "train"})
        writer.link_file(record_of("/a2", "/a", "duplicate"), group="anna", metadata={"split": "test"})
        same_pixels = replace(image_of("/b", ROWS[0]), pixels_sha256=sha256_of("pixels /a 0"))
        writer.add_file(record_of("/b", "/b"), [same_pixels], group="anna", metadata={"split": "train"})
        add(writer, "/c", near(ROWS[0], 0.99), group="berta", metadata={"split": "train"})
        add(writer, "/d", near(near(ROWS[0], 0.99), 0.99, 1), group="berta", metadata={"split": "test"})
        add(writer, "/e", ROWS[4], group="clara", metadata={"split": "train"})
        add(writer, "/f", -ROWS[0])
        writer.note_duplicate(record_of("/g", "never indexed", "duplicate"))
        writer.commit()
        writer.build_store()
    return path


def paths(found: Duplicates) -> list[tuple[str, set[str]]]:
    return [(cluster.kind, {item.path for item in cluster.items}) for cluster in found.clusters]


def test_bytes_pixels_and_likeness_are_kept_apart(path):
    with Index.open(path) as index:
        found = find_duplicates(index, near=0.98)
    assert paths(found)[:1] == [("bytes", {"/a", "/a2"})]
    kind, pixels = paths(found)[1]
    assert kind == "pixels"
    assert "/b" in pixels
    (cluster,) = (cluster for cluster in found.clusters if cluster.kind == "near")
    assert {"/c", "/d"} < {item.path for item in cluster.items}
    assert len(cluster.pairs) == 2  # one image of a, a2 and b; c; d
    assert cluster.pairs[0].score == pytest.approx(0.99, abs=1e-6)
    assert (found.n_items, found.n_crowded, found.files) == (7, 0, ("/g",))
    assert found.counts() == {"bytes": 1, "pixels": 1, "near": 1}


def test_pairs_of_two_patients_are_flagged(path):
    with Index.open(path) as index:
        found = find_duplicates(index)
    crossing = {pair.crosses_groups for cluster in found.clusters for pair in cluster.pairs}
    assert crossing == {True, False}
    assert [cluster.crosses_groups for cluster in found.clusters] == [False, False, True]


def test_across_a_column_only_what_crosses_it_is_told(path):
    with Index.open(path) as index:
        split = find_duplicates(index, across="split")
        group = find_duplicates(index, across="group")
    for cluster in split.clusters:
        assert all(pair.first.metadata["split"] != pair.second.metadata["split"] for pair in cluster.pairs)
    assert [cluster.kind for cluster in split.clusters] == ["bytes", "pixels", "near"]
    assert paths(split)[1] == ("pixels", {"/a2", "/b"})
    assert [cluster.kind for cluster in group.clusters] == ["near"]
    assert all(pair.crosses_groups for pair in group.clusters[0].pairs)


def test_the_threshold_says_what_is_near(path):
    with Index.open(path) as index:
        assert [each.kind for each in find_duplicates(index, near=0.999).clusters] == ["bytes", "pixels"]
        everything = find_duplicates(index, near=0.995)
        assert all(pair.score > 0.995 for cluster in everything.clusters for pair in cluster.pairs)


def test_a_column_that_nobody_has_and_a_cosine_that_is_none_are_refused(path):
    with Index.open(path) as index:
        with pytest.raises(ColumnError, match="has no column 'spilt'; did you mean split"):
            find_duplicates(index, across="spilt")
        for value in (0, -1, 1.1, float("nan")):
            with pytest.raises(SpecError, match="near is"):
                find_duplicates(index, near=value)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("store", ["exact", "faiss"])
def test_clusters_are_the_components_of_all_pairs(tmp_path, seed, store):
    rng = np.random.default_rng(seed)
    centres = unit_rows(5, DIM, seed)
    rows = np.stack([near(centres[rng.integers(5)], rng.uniform(0.9, 1.0), number) for number in range(60)])
    with Index.open(gallery(tmp_path / "g.index", rows), store=store) as index:
        found = find_duplicates(index, near=0.95)
        numbers = [{int(item.path.rsplit("/", 1)[1]) for item in cluster.items} for cluster in found.clusters]
    components = {frozenset([number]) for number in range(60)}
    for one, other in itertools.combinations(range(60), 2):
        if rows[one] @ rows[other] >= 0.95:
            first, second = (next(each for each in components if n in each) for n in (one, other))
            components = (components - {first, second}) | {first | second}
    assert {frozenset(each) for each in numbers} == {each for each in components if len(each) > 1}
    for cluster in found.clusters:
        assert len(cluster.pairs) == len(cluster.items) - 1


def test_many_alike_are_one_cluster_and_said_to_be_crowded(tmp_path, monkeypatch):
    rows = np.stack([near(ROWS[0], 0.9999, number) for number in range(40)])
    monkeypatch.setattr("indexer.duplicates.near._FIRST_K", 2)
    monkeypatch.setattr("indexer.duplicates.near._BLOCK", 7)
    with Index.open(gallery(tmp_path / "g.index", rows)) as index:
        told: list[int] = []
        found = find_duplicates(index, on_progress=told.append)
        assert [len(cluster.items) for cluster in found.clusters] == [40]
        assert found.n_crowded == 0
        assert told == [7, 14, 21, 28, 35, 40]
        monkeypatch.setattr("indexer.duplicates.near._MOST_K", 8)
        assert find_duplicates(index).n_crowded == 40


@given(seed=st.integers(0, 1000), n=st.integers(1, 5), m=st.integers(1, 5))
def test_likeness_of_parts_is_the_same_from_both_sides_and_the_cosine_of_single_ones(seed, n, m):
    rows = unit_rows(n + m, DIM, seed)
    one, other = rows[:n], rows[n:]
    assert likeness(one, other) == pytest.approx(likeness(other, one), abs=1e-6)
    assert likeness(one, one) == pytest.approx(1, abs=1e-6)
    assert likeness(rows[0], rows[-1]) == pytest.approx(float(rows[0] @ rows[-1]), abs=1e-6)


def test_images_that_share_one_part_are_not_near(tmp_path):
    with IndexWriter.create(tmp_path / "parts.index", spec_of(DIM), fill_model) as writer:
        for name, rows in {"/a": ROWS[[0, 1]], "/b": ROWS[[0, 2]], "/c": ROWS[[1, 0]]}.items():
            image = image_of(name, rows, boxes=((0, 0, 5, 5), (5, 0, 5, 5)))
            writer.add_file(record_of(name, name), [image])
        writer.commit()
    with Index.open(tmp_path / "parts.index") as index:
        assert paths(find_duplicates(index)) == [("near", {"/a", "/c"})]


def test_removed_items_are_no_duplicates(path, tmp_path):
    own = Path(shutil.copytree(path, tmp_path / "own.index"))
    with Index.open(own) as index:
        gone = [id_of(index, each) for each in ("/a", "/a2")]
    with IndexWriter.open(own) as writer:
        writer.remove(gone)
        writer.commit()
    with Index.open(own) as index:
        assert paths(find_duplicates(index)) == [("near", {"/b", "/c", "/d"})]


def test_a_tenant_sees_its_own_duplicates_alone(path, tmp_path):
    own = Path(shutil.copytree(path, tmp_path / "own.index"))
    with IndexWriter.open(own) as writer:
        remember_tenant_column(writer, "split")
        writer.commit()
    with Index.open(own, tenant="train") as index:
        assert paths(find_duplicates(index)) == [("pixels", {"/a", "/b"}), ("near", {"/a", "/c"})]
    with Index.open(own) as index, pytest.raises(TenantError):
        find_duplicates(index)
