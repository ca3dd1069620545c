"""Denner et al., Leveraging Foundation Models for Content-Based Image Retrieval in Radiology.

Read: MIC-DKFZ/foundation-models-for-cbmir at commit 4c88d8b0, ``src/evaluation/evaluate_retrieval.py``
(``get_modified_mean_precision_at_n``) and ``src/retrieval.py``. The paper: Computers in Biology and Medicine
2025, doi 10.1016/j.compbiomed.2025.110640, arXiv 2403.06567.
"""

from __future__ import annotations

from cbir.evaluation.definitions.definition import DefinedMeasure, Definition
from cbir.evaluation.ranking import Ranking


def precision(ranking: Ranking, k: int) -> float:
    """P@k: precision after min(R, k) hits; later hits are not looked at."""
    cut = min(ranking.n_relevant, k)
    return int(ranking.relevance[:cut].sum()) / cut


DKFZ = Definition(
    name="dkfz",
    title="Denner et al. (MIC-DKFZ, foundation models for CBIR in radiology)",
    source=(
        "MIC-DKFZ/foundation-models-for-cbmir, src/evaluation/evaluate_retrieval.py and src/retrieval.py, "
        "commit 4c88d8b0; doi 10.1016/j.compbiomed.2025.110640"
    ),
    differs=(
        "P@k is precision after min(R, k) hits, ours after k: with R below k it is R-precision",
        "its ± is the standard deviation over queries (macro: the mean of the classes' own), not an interval",
        "an image of several labels goes by the first of them",
        "queries are another split than the index, which nothing leaves; ours takes out the query's group",
    ),
    measures={"P@k": DefinedMeasure(precision, "precision", ("micro", "macro"))},
)
