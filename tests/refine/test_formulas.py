"""The formulas against loops over plain numbers: ties, duplicates, one item, fewer items than neighbours."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from gallery import unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cbir.errors import SpecError
from indexer.refine.k_reciprocal import Encoding, k_reciprocal
from indexer.refine.weighting import drawn_towards


def squared(points: np.ndarray) -> np.ndarray:
    apart = points[:, np.newaxis] - points
    return (apart**2).sum(axis=-1)


@pytest.mark.parametrize("alpha", [0.0, 1.0, 3.0, 7.5])
@pytest.mark.parametrize("n", [0, 1, 9])
def test_drawing_is_the_weighted_sum(alpha, n):
    rows = unit_rows(n + 1, 5, 3)
    found = drawn_towards(rows[0], rows[1:], alpha)
    assert found == pytest.approx(naive.drawn(rows[0], list(rows[1:]), alpha), abs=1e-6)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 2.0])
def test_what_points_the_other_way_adds_nothing(alpha):
    vector = unit_rows(1, 6)[0]
    assert np.array_equal(drawn_towards(vector, -vector[np.newaxis], alpha), vector)


def test_copies_of_the_vector_leave_it_where_it_is():
    vector = unit_rows(1, 6)[0]
    assert np.allclose(drawn_towards(vector, np.stack([vector] * 4), 3.0), vector, atol=1e-7)


@settings(max_examples=60, deadline=None)
@given(
    points=arrays(np.float64, st.tuples(st.integers(2, 14), st.just(2)), elements=st.integers(-4, 4)),
    k1=st.integers(1, 20),
    k2=st.integers(1, 20),
    lambda_=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_k_reciprocal_is_what_sets_and_loops_find(points, k1, k2, lambda_):
    distances = squared(points)  # a grid of whole numbers: ties and duplicates everywhere
    found = k_reciprocal(distances, Encoding(k1, k2, lambda_))
    assert found.shape == (1, len(points) - 1)
    assert found[0] == pytest.approx(naive.reciprocal(distances, k1, k2, lambda_), abs=1e-9)
    assert ((found >= 0) & (found <= 1)).all()


def test_at_lambda_1_the_neighbours_count_nothing():
    distances = squared(np.random.default_rng(4).normal(size=(30, 3)))
    found = k_reciprocal(distances, Encoding(5, 2, 1.0))[0]
    assert np.array_equal(np.argsort(found), np.argsort(distances[0, 1:]))


def test_neighbours_that_are_all_the_same_are_at_no_distance():
    assert k_reciprocal(np.zeros((5, 5)), Encoding(4, 2, 0.3)) == pytest.approx(np.zeros((1, 4)))


@pytest.mark.parametrize(
    ("numbers", "message"),
    [((0, 6, 0.3), "k1 is 0"), ((20, 0, 0.3), "k2 is 0"), ((20, 6, 1.5), r"lambda is 1\.5; use .* 0 to 1"),
     ((20, 6, float("nan")), "lambda is nan")],
)  # fmt: skip
def test_numbers_out_of_range_are_refused(numbers, message):
    with pytest.raises(SpecError, match=message):
        Encoding(*numbers)
