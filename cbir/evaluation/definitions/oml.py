"""Open Metric Learning.

Read: OML-Team/open-metric-learning, ``oml/functional/metrics.py`` (``calc_cmc``, ``calc_precision``,
``calc_map``) and ``oml/metrics/embeddings.py``, at commit 03a3aeda and at a later version, which takes lists
of retrieved ids; between the two pull request 308 changed the denominator of map@k.
"""

from __future__ import annotations

import numpy as np

from cbir.evaluation.definitions.definition import DefinedMeasure, Definition
from cbir.evaluation.definitions.found import precisions_found
from cbir.evaluation.measures.hit import hit
from cbir.evaluation.ranking import Ranking


def precision(ranking: Ranking, k: int) -> float:
    """precision@k: the relevant among the first ``k``, divided by min(R, k); k no longer than the list."""
    relevance = ranking.relevance[:k]
    return int(relevance.sum()) / min(ranking.n_relevant, len(relevance)) if len(relevance) else 0.0


def average_precision(ranking: Ranking, k: int) -> float:
    """map@k of one query: precisions at the relevant hits, summed, divided by those found; 0 without one."""
    found = precisions_found(ranking, k)
    return float(found.mean()) if len(found) else 0.0


def old_average_precision(ranking: Ranking, k: int) -> float:
    """map@k of one query as it was before pull request 308: divided by min(R, k)."""
    length = min(k, ranking.n_hits)
    return float(np.sum(precisions_found(ranking, k))) / min(ranking.n_relevant, length) if length else 0.0


OML = Definition(
    name="oml",
    title="Open Metric Learning (calc_retrieval_metrics)",
    source=(
        "OML-Team/open-metric-learning, oml/functional/metrics.py and oml/metrics/embeddings.py, commit "
        "03a3aeda and later; the change of map@k is pull request 308"
    ),
    differs=(
        "precision@k divides by min(R, k), ours by k: it is higher where fewer than k items are relevant",
        "map@k divides by the relevant hits found among the first k, ours by R: missed items cost nothing",
        "map@k (old), before pull request 308, divides by min(R, k)",
        "cmc@k is our Hit@k",
        "the means are micro, over queries; macro is not taken",
        "only the query itself leaves the gallery; ours takes out its group",
    ),
    measures={
        "cmc@k": DefinedMeasure(hit, "hit"),
        "precision@k": DefinedMeasure(precision, "precision"),
        "map@k": DefinedMeasure(average_precision, "average_precision"),
        "map@k (old)": DefinedMeasure(old_average_precision, "average_precision"),
    },
)
