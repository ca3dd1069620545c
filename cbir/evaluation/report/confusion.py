"""Which labels a query's hits have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.protocol import Study


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """Shares of the hits, by the query's label.

    Args:
        classes: names of rows and columns.
        shares: (n_classes, n_classes); a row is the query's label and sums to 1 over all that its queries
            found up to k, a column is the hits'. NaN where a class found nothing or did not ask.
        gallery: (n_classes,), the shares of the gallery: about what a row would be at random.
    """

    classes: tuple[str, ...]
    shares: NDArray[np.float64]
    gallery: NDArray[np.float64]


def confusion_of(study: Study) -> Confusion:
    """Count the labels of a study's hits."""
    n = len(study.classes)
    cells = np.concatenate([ranking.label * n + ranking.labels for ranking in study.rankings])
    counts = np.bincount(cells, minlength=n * n).reshape(n, n)
    return Confusion(study.classes, _shares(counts), _shares(study.gallery))


def folded(confusion: Confusion, kept: Sequence[int], others: str) -> Confusion:
    """The hits' labels that are not ``kept`` as one column, and their rows left out.

    Args:
        confusion: of all classes.
        kept: codes, in the order they are to be shown.
        others: the name of the column.
    """
    names = tuple(confusion.classes[code] for code in kept)
    rest = np.setdiff1d(np.arange(len(confusion.classes)), kept)
    if not len(rest):
        return confusion
    shares, gallery = confusion.shares[list(kept)], confusion.gallery
    return Confusion(
        (*names, others),
        np.column_stack([shares[:, list(kept)], shares[:, rest].sum(axis=1)]),
        np.append(gallery[list(kept)], gallery[rest].sum()),
    )


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    totals = counts.sum(axis=-1, keepdims=True)
    shares = np.full(counts.shape, np.nan)
    np.divide(counts, totals, out=shares, where=totals > 0)
    return shares
