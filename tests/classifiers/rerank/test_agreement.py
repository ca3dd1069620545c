"""A re-ranker gives the same hits in the order of similarity and agreement, blended."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbir.errors import SpecError
from cbir.types import Hit, Item, Query, Reranker
from classifiers.rerank import RERANKERS, Agreement
from classifiers.rerank.agreement import agreement

N_CLASSES = 4
QUERY = Query(np.float32([1, 0]), "f" * 64)
SHARP = np.eye(N_CLASSES, dtype=np.float32)
probabilities = st.lists(st.floats(0.01, 1), min_size=N_CLASSES, max_size=N_CLASSES).map(
    lambda some: (np.array(some) / np.sum(some)).astype(np.float32)
)


def hits_of(scores):
    return [Hit(n + 1, score, Item(f"i{n}", f"/i/{n}"), (n, 0, 1, 1)) for n, score in enumerate(scores)]


def table_of(rows):
    """Posteriors of items i0, i1 …; None for an item that nothing is known of."""
    known = {f"i{n}": row for n, row in enumerate(rows) if row is not None}
    unknown = np.full(N_CLASSES, np.nan, np.float32)
    return lambda ids: np.array([known.get(each, unknown) for each in ids], np.float32).reshape(-1, N_CLASSES)


def reranker(rows, asked, *, blend=0.5, ordinal=False, name="agreement"):
    return RERANKERS[name](table_of(rows), ordinal, blend, asked)


def naive(p, q, *, ordinal):
    """Double sums, as the definition has them."""
    value = 0.0
    for i in range(N_CLASSES):
        for j in range(N_CLASSES):
            alike = 1 - abs(i - j) / (N_CLASSES - 1) if ordinal else float(i == j)
            value += float(p[i]) * float(q[j]) * alike
    return value


@given(probabilities, st.lists(probabilities, min_size=1, max_size=5), st.booleans())
def test_agreement_is_the_double_sum(asked, found, ordinal):
    values = agreement(asked, np.array(found), is_ordinal=ordinal)
    assert values == pytest.approx([naive(asked, each, ordinal=ordinal) for each in found], abs=1e-6)
    assert ((values >= 0) & (values <= 1 + 1e-6)).all()


def test_grades_agree_by_their_distance_and_names_by_being_the_same():
    asked = SHARP[0]
    assert agreement(asked, SHARP, is_ordinal=False).tolist() == [1, 0, 0, 0]
    assert agreement(asked, SHARP, is_ordinal=True) == pytest.approx([1, 2 / 3, 1 / 3, 0])


@pytest.mark.parametrize("name", RERANKERS)
@given(
    scores=st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=6),
    asked=st.one_of(st.none(), probabilities),
    rows=st.lists(st.one_of(st.none(), probabilities), min_size=6, max_size=6),
    blend=st.floats(0, 1),
    ordinal=st.booleans(),
)
def test_every_reranker_gives_the_same_hits_ranked_from_one_by_score_then_id(
    name, *, scores, asked, rows, blend, ordinal
):
    hits = hits_of(sorted(scores, reverse=True))
    made: Reranker = reranker(rows, asked, blend=blend, ordinal=ordinal, name=name)
    found = made.rerank(QUERY, hits)
    assert sorted(hit.item.id for hit in found) == [hit.item.id for hit in hits]
    assert {hit.item.id: hit.box for hit in found} == {hit.item.id: hit.box for hit in hits}
    assert [hit.rank for hit in found] == list(range(1, len(hits) + 1))
    assert found == sorted(found, key=lambda hit: (-hit.score, hit.item.id))
    assert np.isfinite([hit.score for hit in found]).all()
    assert hits == hits_of(sorted(scores, reverse=True))  # what it was given is as it was


def test_the_score_is_the_blend_of_similarity_and_agreement():
    hits = hits_of([0.9, 0.8, 0.7])
    found = reranker([SHARP[3], SHARP[1], SHARP[0]], SHARP[0], blend=0.25, ordinal=True).rerank(QUERY, hits)
    assert [hit.item.id for hit in found] == ["i2", "i1", "i0"]
    assert [hit.score for hit in found] == pytest.approx(
        [0.75 * 0.7 + 0.25, 0.75 * 0.8 + 0.25 * 2 / 3, 0.75 * 0.9]
    )


def test_a_blend_of_nothing_keeps_the_order_and_one_of_all_forgets_it():
    hits, rows = hits_of([0.9, 0.8, 0.7]), [SHARP[3], SHARP[0], SHARP[1]]
    assert reranker(rows, SHARP[0], blend=0.0).rerank(QUERY, hits) == hits
    found = reranker(rows, SHARP[0], blend=1.0).rerank(QUERY, hits)
    assert [(hit.item.id, hit.score) for hit in found] == [("i1", 1), ("i0", 0), ("i2", 0)]


def test_a_hit_without_a_posterior_stands_by_its_similarity_alone():
    hits = hits_of([0.9, 0.8, 0.7])
    found = reranker([SHARP[3], None, SHARP[0]], SHARP[0]).rerank(QUERY, hits)
    assert {hit.item.id: hit.score for hit in found} == pytest.approx({"i0": 0.45, "i1": 0.65, "i2": 0.85})


def test_a_query_without_a_posterior_changes_nothing():
    hits, rows = hits_of([0.9, 0.8]), [SHARP[3], SHARP[0]]
    assert reranker(rows, None).rerank(QUERY, hits) == hits
    assert reranker([None, None], SHARP[0]).rerank(QUERY, hits) == hits
    assert reranker(rows, SHARP[0]).rerank(QUERY, []) == []


def test_a_query_that_is_an_item_has_its_own_posterior():
    query = Query(np.float32([1, 0]), "f" * 64, item_id="i0")
    found = reranker([SHARP[1], SHARP[0], SHARP[1]], None).rerank(query, hits_of([0.9, 0.8, 0.7])[1:])
    assert [hit.item.id for hit in found] == ["i2", "i1"]


@pytest.mark.parametrize("blend", [-0.1, 1.1, float("nan")])
def test_a_blend_beyond_its_ends_is_refused(blend):
    with pytest.raises(SpecError, match="from 0 to 1"):
        Agreement(table_of([]), is_ordinal=False, blend=blend)


def test_rerankers_are_what_the_protocol_says():
    for made in RERANKERS.values():
        assert inspect.signature(made.rerank).parameters.keys() >= {"query", "hits"}
