"""Fused vectors, taken apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import SpecError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.extractors.spec import ExtractorSpec


def branch_rows(spec: ExtractorSpec, vectors: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Take fused vectors apart: what each branch said, to unit length.

    Args:
        spec: whose vectors they are; without a projection.
        vectors: (n, dim).

    Returns:
        One (n, dim of the branch) array a branch; a row is zero where its branch gave zero.

    Raises:
        SpecError: one branch alone.
    """
    if len(spec.branches) < 2:  # noqa: PLR2004
        raise SpecError(
            f"Extractor {spec.name!r} has {len(spec.branches)} branch; weights take two or more. Build an "
            "index with a page of several [[branch]]."
        )
    ends = np.cumsum([branch.dim for branch in spec.branches])[:-1]
    return [_unit(each) for each in np.split(vectors, ends, axis=1)]


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(rows, lengths, out=np.zeros(rows.shape), where=lengths > 0).astype(
        np.float32
    )
    return unit
