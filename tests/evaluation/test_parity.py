"""Agreement with ranx and ir_measures on random runs, whose scores have ties broken before they get them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from cbir.evaluation.measures import MEASURES
from cbir.evaluation.ranking import Ranking

K = 10


def study(seed: int = 0) -> list[Ranking]:
    """Sixty queries over a gallery of forty items; the scores have ties, the list is by (-score, id)."""
    rng = np.random.default_rng(seed)
    rankings = []
    for _ in range(60):
        labels = rng.integers(0, 4, 40)
        scores = rng.integers(0, 6, 40) / 5
        order = np.lexsort((np.arange(40), -scores))
        rankings.append(Ranking(int(labels[0]), labels[order], np.bincount(labels, minlength=4)))
    return rankings


def as_run(rankings: list[Ranking]) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, float]]]:
    """Relevance judgements, and the ranks as scores: others break ties in their own ways."""
    judged = {
        f"q{number}": {f"d{rank}": int(each.labels[rank] == each.label) for rank in range(each.n_hits)}
        for number, each in enumerate(rankings)
    }
    run = {
        f"q{number}": {f"d{rank}": float(each.n_hits - rank) for rank in range(each.n_hits)}
        for number, each in enumerate(rankings)
    }
    return judged, run


def ours(name: str, k: int = K) -> list[float]:
    return [MEASURES[name](each, k) for each in study()]


OF_IR_MEASURES = {
    "precision": "P@10",
    "recall": "R@10",
    "hit": "Success@10",
    "average_precision": "AP@10",
    "ndcg": "nDCG@10",
    "reciprocal_rank": "RR@10",
    "r_precision": "Rprec",
}


@pytest.mark.parametrize("name", OF_IR_MEASURES)
def test_ir_measures_agrees(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ir_measures = pytest.importorskip("ir_measures")
        judged, run = as_run(study())
        found = ir_measures.iter_calc([ir_measures.parse_measure(OF_IR_MEASURES[name])], judged, run)
        theirs = {each.query_id: each.value for each in found}
    assert [theirs[f"q{number}"] for number in range(60)] == pytest.approx(ours(name), abs=1e-6)


OF_RANX = {
    "precision": "precision@10",
    "recall": "recall@10",
    "hit": "hit_rate@10",
    "average_precision": "map@10",
    "ndcg": "ndcg@10",
    "reciprocal_rank": "mrr@10",
    "r_precision": "r-precision",
}


@pytest.fixture(scope="module")
def ranx_values():
    """Loaded and compiled once: that takes seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ranx = pytest.importorskip("ranx")
        judged, run = as_run(study())
        relevant = {
            query: {item: 1 for item, is_so in items.items() if is_so} for query, items in judged.items()
        }
        ranked = ranx.Run(run)
        ranx.evaluate(ranx.Qrels(relevant), ranked, list(OF_RANX.values()))
        return ranked.scores


@pytest.mark.soak  # ranx compiles itself for a minute
@pytest.mark.parametrize("name", OF_RANX)
def test_ranx_agrees(name, ranx_values):
    theirs = ranx_values[OF_RANX[name]]
    assert [theirs[f"q{number}"] for number in range(60)] == pytest.approx(ours(name), abs=1e-6)
