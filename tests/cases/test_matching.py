"""Which image is which: values worked out by hand, and every assignment tried."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.cases import Aspect, Match, aspect_of, case_score, match_images

L_CC, L_MLO, R_CC, R_MLO = (Aspect(side, view) for side in "LR" for view in ("CC", "MLO"))
NOTHING = Aspect()


def matched(queries, others, rows) -> list[tuple[int, int]]:
    found = match_images(queries, others, np.array(rows, dtype=np.float32))
    return [(match.query, match.other) for match in found]


def test_known_views_match_their_own_kind_however_alike_others_are():
    rows = [[0.1, 0.9, 0.9, 0.9], [0.9, 0.2, 0.9, 0.9]]
    assert matched([L_CC, L_MLO], [L_CC, L_MLO, R_CC, R_MLO], rows) == [(0, 0), (1, 1)]


def test_a_left_breast_never_stands_for_a_right_one():
    assert matched([L_CC], [R_CC], [[0.9]]) == []
    assert matched([Aspect("L")], [R_CC, Aspect("R"), L_MLO], [[0.9, 0.8, 0.1]]) == [(0, 2)]


def test_of_several_of_one_kind_the_best_assignment():
    # Greedy would take .9 and .1; .8 + .7 is more.
    assert matched([L_CC, L_CC], [L_CC, L_CC], [[0.9, 0.8], [0.7, 0.1]]) == [(0, 1), (1, 0)]


def test_a_known_kind_comes_before_a_better_stranger():
    assert matched([L_CC], [L_CC, NOTHING], [[0.3, 0.9]]) == [(0, 0)]


def test_what_is_left_takes_images_of_unknown_view():
    queries, others = [L_CC, R_CC], [L_CC, NOTHING, Aspect("L")]
    assert matched(queries, others, [[0.3, 0.9, 0.9], [0.1, 0.2, 0.9]]) == [(0, 0), (1, 1)]


def test_without_any_view_the_best_assignment():
    rows = [[0.6, 0.5, 0.1], [0.55, 0.1, 0.1], [0.0, 0.2, 0.4]]
    found = match_images([NOTHING] * 3, [NOTHING] * 3, np.array(rows, dtype=np.float32))
    assert [(match.query, match.other) for match in found] == [(0, 1), (1, 0), (2, 2)]
    assert case_score([match.score for match in found], 3) == pytest.approx((0.5 + 0.55 + 0.4) / 3)


def test_a_pair_that_is_not_alike_is_none():
    assert matched([NOTHING, NOTHING], [NOTHING, NOTHING], [[0.5, -0.2], [-0.1, -0.3]]) == [(0, 0)]
    assert matched([L_CC], [L_CC], [[0.0]]) == []


def test_no_image_on_one_side_is_no_pair():
    assert match_images([L_CC], [], np.empty((1, 0), dtype=np.float32)) == []


def test_the_score_is_the_mean_over_the_images_of_the_query():
    assert case_score([0.8, 0.6], 4) == pytest.approx(0.35)
    assert case_score([], 2) == 0
    assert case_score([1.0000001] * 3, 3) == 1.0


@pytest.mark.parametrize(
    ("metadata", "aspect"),
    [
        ({"side": "L", "view": "CC"}, L_CC),
        ({"laterality": "right", "view_position": " mlo "}, R_MLO),
        ({"side": None, "laterality": "Left", "view": "unknown"}, Aspect("L")),
        ({"side": "B", "view": "MLO"}, Aspect(None, "MLO")),
        ({"side": "unknown", "view": ""}, NOTHING),
        ({"view": 3}, Aspect(None, "3")),
        ({}, NOTHING),
    ],
)
def test_side_and_view_are_read_as_items_say_them(metadata, aspect):
    assert aspect_of(metadata) == aspect


ASPECTS = st.builds(Aspect, st.sampled_from(["L", "R", None]), st.sampled_from(["CC", "MLO", None]))


def best_sum(rows: np.ndarray, may: np.ndarray) -> float:
    """Over every assignment of rows to columns, some rows to none."""
    n, m = rows.shape
    worth = np.hstack([np.where(may & (rows > 0), rows, 0.0), np.zeros((n, n))])
    return max(
        (sum(worth[i, j] for i, j in enumerate(order)) for order in itertools.permutations(range(m + n), n)),
        default=0.0,
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(ASPECTS, min_size=1, max_size=3), st.lists(ASPECTS, max_size=3), st.integers(0, 2**32 - 1))
def test_both_steps_are_as_good_as_the_best_of_all_assignments(queries, others, seed):
    rows = np.random.default_rng(seed).uniform(-0.5, 1, (len(queries), len(others))).astype(np.float32)
    found = match_images(queries, others, rows)
    assert len({match.query for match in found}) == len({match.other for match in found}) == len(found)
    assert all(match == Match(i, j, rows[i, j]) for match in found for i, j in [match[:2]])
    first = [
        match
        for match in found
        if queries[match.query] == others[match.other] and queries[match.query].is_known
    ]
    kinds = np.array([[a == b and a.is_known for b in others] for a in queries], dtype=np.bool_)
    assert sum(match.score for match in first) == pytest.approx(best_sum(rows, kinds), abs=1e-6)
    i = [at for at in range(len(queries)) if at not in {match.query for match in first}]
    j = [at for at in range(len(others)) if at not in {match.other for match in first}]
    may = (
        np.array([[queries[a].may_be(others[b]) for b in j] for a in i]).reshape(len(i), len(j)).astype(bool)
    )
    left = sum(match.score for match in found if match not in first)
    assert left == pytest.approx(best_sum(rows[np.ix_(i, j)], may), abs=1e-6)
