"""Refinements against values computed independently (METHODS.md, golden values)."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.refine.k_reciprocal import Encoding, k_reciprocal
from indexer.refine.weighting import drawn_towards

GALLERY = (0, 1.1, 2.3, 3.6, 10, 11.2, 12.5, 13.9)
FIRST = (0.000263, 0.004927, 0.019325, 0.047296, 0.851704, 0.892000, 0.941004, 1)
SECOND = (1, 0.946242, 0.893644, 0.843787, 0.019440, 0.000548, 0.008575, 0.026750)


def test_a_query_is_drawn_towards_its_neighbour():
    drawn = drawn_towards(np.float32([1, 0]), np.float32([[0.8, 0.6]]), 3.0)
    assert drawn == pytest.approx((0.977066, 0.212936), abs=1e-6)


@pytest.mark.parametrize(
    ("queries", "expected"), [((0.4, 11.7), (FIRST, SECOND)), ((0.4,), (FIRST,)), ((11.7,), (SECOND,))]
)
def test_distances_as_neighbours_see_them(queries, expected):
    points = np.array([*queries, *GALLERY])
    squared = (points[:, np.newaxis] - points) ** 2
    found = k_reciprocal(squared, Encoding(k1=4, k2=2, lambda_=0.3), n_queries=len(queries))
    assert found == pytest.approx(np.array(expected), abs=1e-6)
