"""What a training is worth over several seeds: each with a split and weights of its own, pooled by image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.comparison import compare
from cbir.evaluation.intervals import Sample

SEEDS = range(5)


@dataclass
class Asked:
    """P@10 of every test image in every seed; an image is a place in the items file."""

    rows: list[NDArray[np.intp]] = field(default_factory=list)
    values: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, rows: NDArray[np.intp], values: NDArray[np.float64]) -> None:
        """One seed more."""
        self.rows.append(rows)
        self.values.append(values)

    def macro(self, codes: NDArray[np.int64]) -> list[float]:
        """One a seed."""
        return [macro_mean(values, codes[rows]) for rows, values in zip(self.rows, self.values, strict=True)]

    def over_seeds(self, n_images: int) -> NDArray[np.float64]:
        """(n_images,), the mean over the seeds in which an image asked; NaN where it never did."""
        sums, counts = np.zeros(n_images), np.zeros(n_images)
        for rows, values in zip(self.rows, self.values, strict=True):
            sums[rows] += values
            counts[rows] += 1
        sums[counts == 0] = np.nan
        return sums / np.maximum(counts, 1)


def mean_and_deviation(macros: Sequence[float]) -> str:
    """Of the seeds."""
    return f"{np.mean(macros):.3f} | {np.std(macros, ddof=1):.3f}"


def gain(trained: Asked, before: Asked, codes: NDArray[np.int64], groups: Sequence[str]) -> tuple[str, str]:
    """The difference of each image's mean over the seeds: with its interval over groups, and p."""
    numbers = np.unique(np.asarray(groups), return_inverse=True)[1]
    values, others = trained.over_seeds(len(codes)), before.over_seeds(len(codes))
    asked = ~np.isnan(values)
    paired = compare(Sample(values[asked], codes[asked], numbers[asked]), others[asked])
    if paired.interval is None:
        raise RuntimeError("one group alone")
    interval = f"[{paired.interval.low:+.3f}, {paired.interval.high:+.3f}]"
    return f"{paired.difference:+.3f} {interval}", f"{paired.p_value:.4f}"


def macro_mean(values: NDArray[np.float64], codes: NDArray[np.int64]) -> float:
    """The mean of the classes' means."""
    return float(np.mean([values[codes == code].mean() for code in np.unique(codes)]))
