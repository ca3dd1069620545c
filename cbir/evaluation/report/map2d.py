"""The gallery's embeddings on a plane: neighbours stay neighbours, far distances mean little."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.pool import UNLABELLED
from cbir.evaluation.protocol import Study

MAX_ITEMS = 3000
"""More are drawn from, evenly."""

_MIN_ITEMS = 10
_PERPLEXITY = 30


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """Where items lie.

    Args:
        ids: of the items shown.
        codes: (n_items,), of their labels.
        points: (n_items, 2), of no unit.
        n_there: labelled items of the gallery; more than are shown where some were drawn.
    """

    ids: tuple[str, ...]
    codes: NDArray[np.int64]
    points: NDArray[np.float64]
    n_there: int


def map_of(
    study: Study, embeddings: Callable[[Sequence[str]], NDArray[np.float32]], *, seed: int = 0
) -> Map | None:
    """Lay out the labelled items of a study's gallery by t-SNE, with cosine distances.

    The same embeddings and seed give the same map. None with fewer than 10 different embeddings.

    Args:
        study: its gallery is shown.
        embeddings: ids of items to their rows, (n, dim).
        seed: of the draw and the layout.

    Source: van der Maaten, Hinton, JMLR 2008; openTSNE: Poličar et al., JSS 2024.
    """
    labelled = np.flatnonzero(study.pool.codes != UNLABELLED)
    id_at = {place: item_id for item_id, place in study.pool.places.items()}
    ids = [id_at[place] for place in labelled.tolist()]
    return map_of_vectors(ids, study.pool.codes[labelled], embeddings, seed=seed)


def map_of_vectors(
    ids: Sequence[str],
    codes: NDArray[np.int64],
    vectors_of: Callable[[Sequence[str]], NDArray[np.float32]],
    *,
    seed: int = 0,
) -> Map | None:
    """Lay out vectors by t-SNE, with cosine distances; as ``map_of``.

    Args:
        ids: of all there are.
        codes: (n_items,), of their labels.
        vectors_of: ids to their rows, (n, dim).
        seed: of the draw and the layout.
    """
    n_there, shown = len(ids), np.arange(len(ids))
    if n_there > MAX_ITEMS:
        shown = np.sort(np.random.default_rng(seed).choice(n_there, MAX_ITEMS, replace=False))
    if n_there < _MIN_ITEMS:
        return None
    drawn = tuple(ids[place] for place in shown.tolist())
    vectors = vectors_of(drawn)
    if len(np.unique(vectors, axis=0)) < _MIN_ITEMS:
        return None
    return Map(drawn, codes[shown], _laid_out(vectors, seed), n_there)


def _laid_out(vectors: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
    from openTSNE import TSNE

    layout = TSNE(
        metric="cosine",
        neighbors="exact",
        perplexity=min(_PERPLEXITY, (len(vectors) - 1) / 3),
        random_state=seed,
        n_jobs=1,  # the same on every machine, whatever its cores
    )
    return np.asarray(layout.fit(vectors), dtype=np.float64)
