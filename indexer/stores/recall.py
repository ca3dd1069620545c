"""How hard a store must look: measured when it is built, on a sample of the gallery's own rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer.stores.approximate import first_depth
from indexer.stores.exact import ExactStore, score

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from indexer.embeddings import Embeddings

TARGET_RECALL = 0.993
"""Recall@10 that a build asks of the candidates, after their scores were made exact.

Strangers must find 0.99: what the sample finds differs from that by 0.003, one time in three.
"""

_SEED = 20240501
_SAMPLE = 256
_DEPTH = 10
_PRECISION = 8


def least_effort(
    embeddings: Embeddings,
    find: Callable[[NDArray[np.float32], int, int], list[NDArray[np.int64]]],
    *,
    least: int,
    most: int,
) -> tuple[int, float]:
    """The least effort, within an eighth, that reaches the target recall; and that recall.

    Args:
        embeddings: every row, all of them covered.
        find: (queries, depth, effort) to the rows that are named for each query.
        least: where to begin.
        most: taken when the target is not reached.
    """
    rng = np.random.default_rng(_SEED)
    sample = np.sort(rng.choice(embeddings.n_rows, min(_SAMPLE, embeddings.n_rows), replace=False))
    queries = embeddings.gather(sample)
    depth = _DEPTH + 1  # a row of the sample finds itself first: that one does not count
    truth = ExactStore(embeddings).search(queries, depth)

    def recall_of(effort: int) -> float:
        found = find(queries, min(embeddings.n_rows, first_depth(depth)), effort)
        hits = total = 0
        for row, query, candidates, true in zip(sample, queries, found, truth, strict=True):
            mine = score(embeddings, query, candidates, depth).rows
            wanted = true.rows[true.rows != row]
            hits += len(np.intersect1d(mine, wanted))
            total += len(wanted)
        return hits / total if total else 1.0

    too_little, effort = 0, min(least, most)
    recall = recall_of(effort)
    while recall < TARGET_RECALL and effort < most:
        too_little, effort = effort, min(2 * effort, most)
        recall = recall_of(effort)
    # Doubled, it may be nearly twice what is needed, and so is every answer's time.
    while effort - too_little > max(1, effort // _PRECISION) and too_little:
        middle = (too_little + effort) // 2
        if (found := recall_of(middle)) >= TARGET_RECALL:
            effort, recall = middle, found
        else:
            too_little = middle
    return effort, round(recall, 4)
