"""How likely near rows have the same label: a smooth stand-in for precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from cbir.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_BLOCK = 256


@dataclass(frozen=True, slots=True, eq=False)
class SoftNeighbours:
    """Rows that are asked for their neighbours.

    Args:
        cosines: (n_branches, n, n).
        eligible: (n, n), whether row j may be a neighbour of row i.
        alike: (n, n), whether it is eligible and has the same label.
        shares: (n,), what a row counts: each label the same in all; 0 for one that no eligible row is like,
            or all of them are.
        n_groups: of the rows that count.
    """

    cosines: NDArray[np.float32]
    eligible: NDArray[np.bool_]
    alike: NDArray[np.bool_]
    shares: NDArray[np.float64]
    n_groups: int

    @classmethod
    def of(
        cls,
        branches: Sequence[NDArray[np.float32]],
        labels: Sequence[str],
        groups: Sequence[str | None],
    ) -> Self:
        """Compare all rows in all branches.

        Raises:
            SpecError: no row can be answered well or badly.
        """
        n_rows = len(labels)
        codes = np.unique(np.asarray(labels), return_inverse=True)[1]
        names = {group: code for code, group in enumerate({each for each in groups if each is not None})}
        own = np.array(
            [row + len(names) if group is None else names[group] for row, group in enumerate(groups)]
        )
        eligible = own[:, None] != own[None, :]
        alike = eligible & (codes[:, None] == codes[None, :])
        asked = alike.any(axis=1) & (alike.sum(axis=1) < eligible.sum(axis=1))
        if not asked.any():
            raise SpecError(
                f"None of {n_rows} images, of {len(set(own.tolist()))} groups and {len(set(labels))} labels, "
                "has others of its label and of another one outside of its group. Label more, of more groups."
            )
        counts = np.bincount(codes[asked], minlength=codes.max() + 1)
        shares = np.zeros(n_rows)
        shares[asked] = 1 / (counts[codes[asked]] * np.count_nonzero(counts))
        cosines = np.stack([branch @ branch.T for branch in branches])
        return cls(cosines, eligible, alike, shares, len(set(own[asked].tolist())))

    def likelihood(self, u: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The log likelihood of the labels, and its slope.

        Args:
            u: (n_branches,), >= 0: the weights times the sharpness.
        """
        value, slope = 0.0, np.zeros(len(u))
        for start in range(0, len(self.shares), _BLOCK):
            rows = np.flatnonzero(self.shares[start : start + _BLOCK]) + start
            cosines = self.cosines[:, rows].astype(np.float64)
            scores = np.tensordot(u, cosines, axes=1)
            all_log, all_part = _soft(scores, self.eligible[rows])
            like_log, like_part = _soft(scores, self.alike[rows])
            value += float(self.shares[rows] @ (like_log - all_log))
            slope += np.einsum("bij,ij->b", cosines, (like_part - all_part) * self.shares[rows, None])
        return value, slope


def _soft(
    scores: NDArray[np.float64], counted: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The logarithm of the sum of the exponentials of those counted, and their shares of it."""
    there = np.where(counted, scores, -np.inf)
    highest = there.max(axis=1, keepdims=True)
    parts = np.exp(there - highest)
    sums = parts.sum(axis=1, keepdims=True)
    return (highest + np.log(sums))[:, 0], parts / sums
