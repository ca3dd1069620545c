"""The blend that finds most on a validation part is taken, and said to be luck where it may be."""

from __future__ import annotations

import numpy as np
import pytest

from cbir.errors import SpecError
from cbir.evaluation.protocol import rank_queries
from cbir.types import Item
from classifiers.rerank.tuning import BLENDS, tune_blend

N = 60
ITEMS = [Item(f"i{n:02}", f"/i/{n}", label=f"l{n % 3}", group=f"g{n // 2}") for n in range(N)]
LABELS = np.arange(N) % 3


def study_of(quality):
    """Of a search that puts items of the query's label first with a chance that the blend decides."""

    def study(blend):
        rng = np.random.default_rng(7)
        scores = rng.standard_normal((N, N)) + quality(blend) * (LABELS[:, None] == LABELS)

        def search(ids, depth):
            rows = [int(each[1:]) for each in ids]
            return [[ITEMS[n].id for n in np.argsort(-scores[row])[:depth]] for row in rows]

        return rank_queries(ITEMS, search, 5)

    return study


def test_the_best_blend_is_taken_with_what_it_gains():
    tuning = tune_blend(study_of(lambda blend: 2.5 if blend == 0.3 else blend), (0.1, 0.3, 1.0))
    assert tuning.blend == 0.3
    assert tuning.best is not None
    assert tuning.best.is_better
    assert tuning.best.paired.value > tuning.best.paired.other + 0.2
    assert [each.blend for each in tuning.tried] == [0.1, 0.3, 1.0]
    assert all(each.p_holm >= each.paired.comparison.p_value for each in tuning.tried)


def test_where_no_blend_finds_more_similarity_stays_alone():
    tuning = tune_blend(study_of(lambda blend: 2 - 2 * blend), (0.3, 1.0))
    assert (tuning.best, tuning.blend) == (None, 0.0)


def test_of_equal_blends_the_smallest_is_taken():
    assert tune_blend(study_of(lambda blend: float(blend > 0)), (0.2, 0.4, 0.6)).blend == 0.2


def test_nothing_to_try_is_refused():
    with pytest.raises(SpecError, match="no blend"):
        tune_blend(study_of(lambda _: 1.0), ())
    assert list(BLENDS) == sorted(BLENDS)
    assert 0 < BLENDS[0] < BLENDS[-1] == 1
