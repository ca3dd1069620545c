"""The discriminant head: linear discriminant analysis, as far shrunk as the validation part says."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from cbir.errors import SpecError
from cbir.extractors.fitting.whitening import whiten
from cbir.extractors.fusion import unit_rows
from cbir.extractors.projection import Projection
from cbir.training.frozen.head import FittedHead, HeadEpoch, Tell
from cbir.training.frozen.validation import validation_precision

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from cbir.extractors.fitting.shrinkage import Shrinkage
    from cbir.training.material import Material

SHRINKAGES = (0.99, 0.98, 0.95, 0.9, 0.8, 0.7, 0.5, 0.3, 0.1, 0.03)
"""Tried in this order, of equals the first is kept: with few rows a wide space takes much."""

_MORE_DIMS = (8, 16)
_LEAST_DIM = 2
_ROWS_PER_DIM = 4


def fit_discriminant(
    material: Material, vectors: NDArray[np.float32], *, by_validation: bool = True, tell: Tell
) -> FittedHead:
    """Fit on the training part; the shrinkage and the number of dimensions are the best on validation.

    The dimensions are the n_classes − 1 that tell the classes apart, or as many as 8 or 16 with those in
    which the classes vary most. Of two classes two dimensions are the fewest: unit vectors of one are only
    two.

    Args:
        material: with a training and a validation part.
        vectors: (n_images, dim), unit rows.
        by_validation: False takes the shrinkage that the training vectors themselves say.
        tell: called with each candidate.

    Raises:
        SpecError: too few training images for two dimensions.
        VectorError: the training vectors are all the same.
    """
    best: tuple[Projection, str] | None = None
    epochs: list[HeadEpoch] = []
    for projection, words in _candidates(
        material, vectors, SHRINKAGES if by_validation else ("ledoit-wolf",)
    ):
        precision = validation_precision(material, unit_rows(projection.apply(vectors)))
        is_best = precision > max((each.precision for each in epochs), default=-math.inf)
        epochs.append(HeadEpoch(len(epochs) + 1, math.nan, precision, is_best))
        best = (projection, words) if is_best or best is None else best
        tell(epochs[-1])
    if best is None:
        raise SpecError("No shrinkage was tried.")
    return FittedHead(best[0], max(each.precision for each in epochs), best[1], tuple(epochs))


def _candidates(
    material: Material, vectors: NDArray[np.float32], shrinkages: tuple[Shrinkage, ...]
) -> Iterator[tuple[Projection, str]]:
    train = material.rows("train")
    rows, labels = vectors[train], [material.classes[code] for code in material.codes[train]]
    fewest = max(len(set(labels)) - 1, _LEAST_DIM)
    most = min((len(train) - 1) // _ROWS_PER_DIM, vectors.shape[1])
    if most < fewest:
        raise SpecError(
            f"{material.source}: train has {len(train)} images; a discriminant head of {len(set(labels))} "
            f"classes takes more than {_ROWS_PER_DIM * fewest}. Label more, or take the head mlp."
        )
    dims = [dim for dim in (fewest, *_MORE_DIMS) if fewest <= dim <= most]
    for shrinkage in shrinkages:
        whole = whiten(rows, dim=dims[-1] if len(dims) > 1 else fewest, shrinkage=shrinkage, labels=labels)
        for dim in dict.fromkeys(dims):
            yield _first(whole, dim), f"shrinkage {shrinkage}, {dim} dimensions"


def _first(projection: Projection, dim: int) -> Projection:
    """The first columns; as fitted for so few: each column stands by itself."""
    layer = projection.layers[0]
    return Projection.through(
        projection.mean, [replace(layer, matrix=layer.matrix[:, :dim].copy(), bias=layer.bias[:dim].copy())]
    )
