"""TensorFlow Similarity's retrieval metrics.

Read: tensorflow/similarity, ``tensorflow_similarity/retrieval_metrics/`` (``precision_at_k.py`` at commit
2821d07e, ``recall_at_k.py``, ``map_at_k.py`` at 0039dd5c and a later version with ``clip_at_r``, ``bndcg.py``
at 097edf67), with their defaults: no distance threshold. A list shorter than k, an error there, counts here
as if the missing hits were not relevant.
"""

from __future__ import annotations

from cbir.evaluation.definitions.definition import DefinedMeasure, Definition
from cbir.evaluation.definitions.found import precisions_found
from cbir.evaluation.measures.average_precision import average_precision
from cbir.evaluation.measures.hit import hit
from cbir.evaluation.measures.ndcg import discounts
from cbir.evaluation.measures.precision import precision
from cbir.evaluation.ranking import Ranking


def clipped_average_precision(ranking: Ranking, k: int) -> float:
    """map@k of one query with ``clip_at_r``: precisions at the relevant among the first min(R, k), over R."""
    cut = min(ranking.n_relevant, k)
    return float(precisions_found(ranking, cut).sum()) / ranking.n_relevant


def ndcg(ranking: Ranking, k: int) -> float:
    """ndcg@k: against the best order of the relevant hits that were found; 0 without one."""
    relevance = ranking.first(k) == ranking.label
    weights = discounts(k)
    best = float(weights[: int(relevance.sum())].sum())
    return float(weights[: len(relevance)][relevance].sum()) / best if best else 0.0


TFSIM = Definition(
    name="tfsim",
    title="TensorFlow Similarity (retrieval_metrics)",
    source=(
        "tensorflow/similarity, tensorflow_similarity/retrieval_metrics/{precision_at_k,recall_at_k,map_at_k,"
        "bndcg}.py, commits 2821d07e, 0039dd5c, 097edf67 and later for clip_at_r"
    ),
    differs=(
        "precision@k is our P@k, and map@k our AP@k where the R it is told leaves out the query's group",
        "recall@k is our Hit@k, not R@k",
        "map@k (clip_at_r) stops at min(R, k); with k of R and more it is our MAP@R",
        "ndcg@k is against the best order of what was found, ours of min(R, k) relevant: misses cost nothing",
        "the means are micro unless macro is asked for, map@k is only micro",
        "nothing leaves, or the first hit does (drop_closest_lookup); ours takes out the query's group",
    ),
    measures={
        "precision@k": DefinedMeasure(precision, "precision", ("micro", "macro")),
        "recall@k": DefinedMeasure(hit, "hit", ("micro", "macro")),
        "map@k": DefinedMeasure(average_precision, "average_precision"),
        "map@k (clip_at_r)": DefinedMeasure(clipped_average_precision, "average_precision"),
        "ndcg@k": DefinedMeasure(ndcg, "ndcg", ("micro", "macro")),
    },
)
