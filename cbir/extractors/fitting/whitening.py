"""Whitening, fitted on a training split: the unsupervised one, and the discriminative one with labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import SpecError, VectorError
from cbir.extractors.fitting.discriminant import discriminant
from cbir.extractors.fitting.principal import Principal, centred_blocks, principal
from cbir.extractors.fitting.shrinkage import Shrinkage, draw_together, ledoit_wolf
from cbir.extractors.projection import Projection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_ROWS_PER_DIM = 4
_MIN_CLASSES = 2


def whiten(
    vectors: NDArray[np.float32],
    *,
    dim: int | None = None,
    shrinkage: Shrinkage = "ledoit-wolf",
    labels: Sequence[str] | None = None,
) -> Projection:
    """Fit a projection that makes the rows' directions count alike.

    Without labels: the principal directions, each divided by its standard deviation (with divisor n). With
    shrinkage 0 the projected rows have the identity as their covariance.

    With labels: linear discriminant analysis. The covariance within the classes becomes the identity (the
    shrunk one; with shrinkage 0 the rows' own), then come the at most n_classes − 1 directions in which the
    classes' means differ, the most telling first, and after them, where ``dim`` asks for more, those in which
    the classes vary most within.

    Args:
        vectors: (n, D), of a training split alone.
        dim: of what comes out, below n / 4, so that no direction is made of noise alone. None: with labels
            n_classes − 1; without, as many as that limit and the rows allow.
        shrinkage: see ``Shrinkage``; ``ledoit-wolf`` takes what the rows say.
        labels: one a row.

    Returns:
        The mean and the (D, dim) matrix; the same rows give the same numbers, signs too.

    Raises:
        SpecError: ``dim`` too large or below 1, a shrinkage outside of 0 to 1, fewer than two labels, or not
            one a row.
        VectorError: a row that is not finite, rows that are all the same, or that vary in fewer directions
            than ``dim``.
    """
    _check(vectors, dim, shrinkage, labels)
    n_rows, n_in = vectors.shape
    mean: NDArray[np.float64] = np.mean(vectors, axis=0, dtype=np.float64)
    found = principal(vectors, mean)
    if not found.rank:
        raise VectorError(f"The {n_rows} rows are all the same; there is nothing to whiten. Take other rows.")
    if labels is None:
        wanted = dim or min(_most(n_rows), n_in, found.rank)
        _refuse_beyond(wanted, found)
        amount = _by_the_rows(vectors, mean, found) if shrinkage == "ledoit-wolf" else shrinkage
        drawn = draw_together(found.variances[:wanted], amount, float(found.variances.sum()) / n_in)
        return Projection.of(mean, _steady(found.directions[:, :wanted] / np.sqrt(drawn)))
    wanted = dim or len(set(labels)) - 1
    _refuse_beyond(wanted, found)
    matrix = discriminant(vectors, mean, found, labels, shrinkage=shrinkage, dim=wanted)
    return Projection.of(mean, _steady(matrix))


def _check(
    vectors: NDArray[np.float32], dim: int | None, shrinkage: Shrinkage, labels: Sequence[str] | None
) -> None:
    if shrinkage != "ledoit-wolf" and not 0 <= shrinkage <= 1:
        raise SpecError(f"Shrinkage is {shrinkage}; use a number from 0 to 1, or ledoit-wolf.")
    n_rows, n_in = vectors.shape
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if bad.size:
        raise VectorError(f"Row {bad[0]} of {n_rows} is not finite; drop it.")
    if labels is not None:
        if len(labels) != n_rows:
            raise SpecError(f"There are {len(labels)} labels for {n_rows} rows; give one a row.")
        if len(set(labels)) < _MIN_CLASSES:
            raise SpecError(f"The {n_rows} rows have {len(set(labels))} label; discriminating takes two.")
    least = dim if dim is not None else 1 if labels is None else len(set(labels)) - 1
    if least < 1:
        raise SpecError(f"dim is {least}; use a whole number from 1.")
    if least > _most(n_rows):
        raise SpecError(
            f"dim is {least}, and there are {n_rows} rows: dim must be below rows / {_ROWS_PER_DIM}, here at "
            f"most {_most(n_rows)}. Fit on {_ROWS_PER_DIM * least + 1} rows or more, or ask for less."
        )
    if least > n_in:
        raise SpecError(f"dim is {least}, and the rows have {n_in} numbers; ask for at most {n_in}.")


def _by_the_rows(vectors: NDArray[np.float32], mean: NDArray[np.float64], found: Principal) -> float:
    n_rows, n_in = vectors.shape
    fourth = sum(
        float((np.square(block).sum(axis=1) ** 2).sum()) for _, block in centred_blocks(vectors, mean)
    )
    return ledoit_wolf(found.variances, fourth / n_rows, n_rows=n_rows, n_in=n_in)


def _most(n_rows: int) -> int:
    """The largest dim below n / 4."""
    return (n_rows - 1) // _ROWS_PER_DIM


def _refuse_beyond(wanted: int, found: Principal) -> None:
    if wanted > found.rank:
        raise VectorError(
            f"dim is {wanted}, and the rows vary in {found.rank} directions; ask for at most {found.rank}."
        )


def _steady(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn each column so that its largest number is positive."""
    largest = matrix[np.abs(matrix).argmax(axis=0), np.arange(matrix.shape[1])]
    steady: NDArray[np.float64] = matrix * np.where(largest < 0, -1.0, 1.0)
    return steady
