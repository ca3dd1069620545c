from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbir.evaluation.measures import (
    LOWER_IS_BETTER,
    MEASURES,
    OF_WHOLE_LISTS,
    ORDINAL,
    STUDY_MEASURES,
)
from cbir.evaluation.ranking import Ranking

NOT_BY_DISTANCE = {"brier", "vote_accuracy"}
"""One wrong label with all the votes scores worse, or wins, against votes spread over labels further away."""


@st.composite
def rankings(draw: st.DrawFn) -> Ranking:
    """A list, perhaps cut short or empty, of a gallery that may lack the query's label."""
    gallery = draw(st.lists(st.integers(0, 4), max_size=30))
    n_hits = draw(st.integers(0, len(gallery)))
    counts = np.bincount(np.array(gallery, dtype=np.int64), minlength=5)
    return Ranking(draw(st.integers(0, 4)), np.array(gallery[:n_hits], dtype=np.int64), counts)


def same(one: float, other: float) -> bool:
    return one == pytest.approx(other, nan_ok=True)


@pytest.mark.parametrize("name", MEASURES)
@settings(max_examples=40)
@given(ranking=rankings(), k=st.integers(1, 40))
def test_values_stay_within_their_bounds(name, ranking, k):
    value = MEASURES[name](ranking, k)
    assert math.isnan(value) or 0 <= value <= {"grade_distance": 4, "brier": 2}.get(name, 1) + 1e-12


@pytest.mark.parametrize("name", STUDY_MEASURES)
@settings(max_examples=40)
@given(study=st.lists(rankings(), max_size=12), k=st.integers(1, 12))
def test_study_values_stay_within_their_bounds_in_any_order_of_queries(name, study, k):
    value = STUDY_MEASURES[name](study, k)
    assert math.isnan(value) or (-1 if name == "quadratic_kappa" else 0) - 1e-12 <= value <= 1 + 1e-12
    assert same(value, STUDY_MEASURES[name](study[::-1], k))


@pytest.mark.parametrize("name", ["hit", "recall", "average_precision", "reciprocal_rank"])
@settings(max_examples=40)
@given(ranking=rankings(), k=st.integers(1, 30))
def test_more_hits_never_make_it_less(name, ranking, k):
    assert not MEASURES[name](ranking, k + 1) < MEASURES[name](ranking, k)


@pytest.mark.parametrize("name", MEASURES)
@settings(max_examples=40)
@given(ranking=rankings(), k=st.integers(1, 30), data=st.data())
def test_the_names_of_the_classes_do_not_matter(name, ranking, k, data):
    order = np.array(
        range(4, -1, -1) if name in ORDINAL else data.draw(st.permutations(range(5))), dtype=np.int64
    )
    renamed = Ranking(int(order[ranking.label]), order[ranking.labels], ranking.eligible[np.argsort(order)])
    assert same(MEASURES[name](ranking, k), MEASURES[name](renamed, k))


@pytest.mark.parametrize("name", [name for name in MEASURES if name not in NOT_BY_DISTANCE])
@settings(max_examples=40)
@given(ranking=rankings(), k=st.integers(1, 30))
def test_a_list_sorted_by_distance_is_never_worse(name, ranking, k):
    distance = np.abs(ranking.labels - ranking.label)
    ordered = ranking.labels[np.argsort(distance, kind="stable")]
    best = MEASURES[name](Ranking(ranking.label, ordered, ranking.eligible), k)
    value = MEASURES[name](ranking, k)
    assert math.isnan(value) or (best <= value + 1e-12 if name in LOWER_IS_BETTER else best >= value - 1e-12)


@pytest.mark.parametrize("name", ["recall", "r_precision", "average_precision", "map_at_r", "ndcg"])
def test_a_query_whose_label_nobody_has_is_not_a_zero(name):
    assert math.isnan(MEASURES[name](Ranking(2, np.array([0, 1]), np.array([1, 1, 0])), 2))


@pytest.mark.parametrize("name", ["r_precision", "map_at_r"])
def test_a_list_cut_before_the_last_relevant_one_has_no_value_at_r(name):
    assert math.isnan(MEASURES[name](Ranking(0, np.array([0, 0]), np.array([3, 1])), 2))


@pytest.mark.parametrize("name", ["vote_accuracy", "grade_distance", "far_share", "brier"])
def test_without_a_hit_there_is_nothing_to_judge(name):
    assert math.isnan(MEASURES[name](Ranking(0, np.array([], dtype=np.int64), np.array([0, 0])), 2))


def test_precision_divides_by_k_where_there_are_fewer_hits():
    assert MEASURES["precision"](Ranking(0, np.array([0, 0]), np.array([2, 0])), 10) == 0.2


@pytest.mark.parametrize("name", [name for name in MEASURES if name not in LOWER_IS_BETTER])
def test_a_cluster_of_one_is_found_whole(name):
    assert MEASURES[name](Ranking(1, np.array([1]), np.array([0, 1])), 1) == 1


@pytest.mark.parametrize("name", [name for name in MEASURES if name not in OF_WHOLE_LISTS])
def test_k_below_one_is_refused(name):
    with pytest.raises(ValueError, match="k is 0"):
        MEASURES[name](Ranking(0, np.array([0]), np.array([1, 1])), 0)
