"""Queries that items move: more like these, less like those."""

from __future__ import annotations

import numpy as np
import pytest
from gallery import add, fill_model, gallery, id_of, image_of, record_of, spec_of, unit_rows
from hypothesis import given
from hypothesis import strategies as st

from cbir.errors import SpecError, VectorError
from cbir.types import Query
from indexer import Index, IndexWriter
from indexer.asking.feedback import Rocchio, moved, query_by_feedback

DIM = 8
ROWS = unit_rows(40, DIM)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    with Index.open(gallery(tmp_path_factory.mktemp("feedback") / "g.index", ROWS)) as opened:
        yield opened


def test_the_weights_are_those_of_the_book():
    assert Rocchio() == Rocchio(query=1.0, liked=0.75, unliked=0.15)


@given(
    seed=st.integers(0, 2**31),
    n_liked=st.integers(0, 4),
    n_unliked=st.integers(0, 4),
    asks=st.booleans(),
)
def test_it_is_rocchios_sum_at_unit_length(seed, n_liked, n_unliked, asks):
    query, *rest = unit_rows(1 + n_liked + n_unliked, DIM, seed)
    liked, unliked = rest[:n_liked], rest[n_liked:]
    if not asks and not liked:
        return
    plain = np.zeros(DIM)
    plain += query if asks else 0
    plain += 0.75 * sum(liked) / len(liked) if liked else 0
    plain -= 0.15 * sum(unliked) / len(unliked) if unliked else 0
    try:
        found = moved(query if asks else None, liked, unliked, Rocchio())
    except VectorError:
        return  # the sum has hardly a direction: tested below
    np.testing.assert_allclose(found, plain / np.linalg.norm(plain), atol=1e-6)
    assert found.dtype == np.float32


def test_one_liked_item_alone_is_itself():
    np.testing.assert_allclose(moved(None, [ROWS[3]], [], Rocchio()), ROWS[3], atol=1e-7)


def test_what_is_liked_comes_nearer_and_what_is_not_goes_away():
    query, liked, unliked = ROWS[:3]
    found = moved(query, [liked], [unliked], Rocchio(1.0, 0.75, 0.75))
    assert found @ liked > query @ liked
    assert found @ unliked < query @ unliked


def test_likes_that_cancel_out_and_dislikes_that_outweigh_are_one_line():
    with pytest.raises(VectorError, match="cancels out"):
        moved(None, [ROWS[0], -ROWS[0]], [], Rocchio())
    with pytest.raises(VectorError, match="outweighs"):
        moved(None, [ROWS[0]], [ROWS[0]], Rocchio(unliked=0.75))
    with pytest.raises(VectorError, match="outweighs"):
        moved(None, [ROWS[0]], [ROWS[0]], Rocchio(unliked=3.0))
    with pytest.raises(VectorError, match="nothing to move away from"):
        moved(None, [], [ROWS[0]], Rocchio())


def test_the_items_named_are_no_hits_and_the_next_ones_take_their_places(index):
    liked, unliked = id_of(index, "/g/5"), id_of(index, "/g/9")
    query = query_by_feedback(index, None, liked=[liked, liked], unliked=[unliked])
    hits = index.search(query, 1000)
    assert len(hits) == len(ROWS) - 2
    assert {liked, unliked}.isdisjoint(hit.item.id for hit in hits)
    direction = 0.75 * ROWS[5] - 0.15 * ROWS[9]
    scores = ROWS @ direction / np.linalg.norm(direction)
    order = [row for row in np.argsort(-scores) if row not in (5, 9)]
    assert [hit.item.path for hit in hits] == [f"/g/{row}" for row in order]


def test_the_groups_of_the_query_and_of_what_is_liked_are_left_out(index):
    base = index.query(id_of(index, "/g/0"))
    liked = [id_of(index, f"/g/{row}") for row in (5, 9)]
    query = query_by_feedback(index, base, liked=liked, unliked=[id_of(index, "/g/21")])
    hits = index.search(query, 1000, exclude_same_group=True)
    left = {hit.item.group for hit in hits}
    assert {"g0", "g1", "g2"}.isdisjoint(left)
    assert "g5" in left  # of the unliked item, the others may be found
    assert len(hits) == len(ROWS) - 12 - 1


def test_a_query_without_a_group_cant_leave_the_groups_of_its_likes_out_alone(index):
    stranger = Query(ROWS[0], index.fingerprint)
    query = query_by_feedback(index, stranger, liked=[id_of(index, "/g/5")])
    with pytest.raises(SpecError, match="no group"):
        index.search(query, 3, exclude_same_group=True)


def test_an_item_that_is_liked_and_unliked_or_not_there_is_refused(index):
    item_id = id_of(index, "/g/5")
    with pytest.raises(VectorError, match=f"Item {item_id} is liked and unliked"):
        query_by_feedback(index, None, liked=[item_id], unliked=[item_id])
    with pytest.raises(KeyError):
        query_by_feedback(index, None, liked=["nobody"])


def test_of_items_in_parts_the_part_nearest_to_each_part_of_the_query_counts(tmp_path):
    with IndexWriter.create(tmp_path / "parts.index", spec_of(DIM), fill_model) as writer:
        image = image_of("a", ROWS[:2], boxes=((0, 0, 5, 5), (5, 0, 5, 5)))
        writer.add_file(record_of("/a", "a"), [image])
        add(writer, "/b", ROWS[3])
        writer.commit()
    with Index.open(tmp_path / "parts.index") as index:
        asking = Query(np.stack([ROWS[0], ROWS[1]]), index.fingerprint)
        query = query_by_feedback(index, asking, liked=[id_of(index, "/a")])
        np.testing.assert_allclose(query.embedding, ROWS[:2], atol=1e-6)
        with pytest.raises(VectorError, match="in parts"):
            query_by_feedback(index, None, liked=[id_of(index, "/a")])
        alone = query_by_feedback(index, None, liked=[id_of(index, "/b")], unliked=[id_of(index, "/a")])
        nearest = max(ROWS[:2], key=lambda row: row @ ROWS[3])
        plain = 0.75 * ROWS[3] - 0.15 * nearest
        np.testing.assert_allclose(alone.embedding, plain / np.linalg.norm(plain), atol=1e-6)
