"""Refinements and parts against values computed independently (METHODS.md, golden values), and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from gallery import fill_model, image_of, record_of, spec_of

from cbir.types import Query
from indexer import Index, IndexWriter
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


def test_parts_score_by_the_greatest_cosine_of_any_two(tmp_path):
    """By hand: parts (1, 0) and (0, 1) ask for items of one to three parts."""
    items = {
        "/a": [(0.6, 0.8), (-1, 0)],
        "/b": [(0.28, 0.96)],
        "/c": [(-0.6, -0.8), (-0.8, -0.6), (0, -1)],
        "/d": [(-0.96, 0.28), (0.8, 0.6)],
    }
    with IndexWriter.create(tmp_path / "parts.index", spec_of(2), fill_model) as writer:
        for path, parts in items.items():
            writer.add_file(record_of(path, path), [image_of(path, np.float32(parts))])
        writer.commit()
    with Index.open(tmp_path / "parts.index") as index:
        query = Query(np.float32([(1, 0), (0, 1)]), index.fingerprint)
        found = {hit.item.path: hit.score for hit in index.search(query, 4)}
        assert found == pytest.approx({"/b": 0.96, "/a": 0.8, "/d": 0.8, "/c": 0.0}, abs=1e-6)
        one = Query(np.float32([1, 0]), index.fingerprint)
        found = {hit.item.path: hit.score for hit in index.search(one, 4)}
        assert found == pytest.approx({"/d": 0.8, "/a": 0.6, "/b": 0.28, "/c": 0.0}, abs=1e-6)
