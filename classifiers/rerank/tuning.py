"""Which blend of similarity and agreement finds most on a validation part; and whether that may be luck."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cbir.errors import SpecError
from cbir.evaluation.comparison import holm
from cbir.evaluation.pairing import Paired, compare_studies
from cbir.evaluation.protocol import Study

BLENDS = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Dense near 0: the similarities of the best hits differ less than what a classifier says of them."""

_SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class TriedBlend:
    """One blend.

    Args:
        blend: above 0.
        paired: macro P@k, re-ranked against plain, on the same queries.
        p_holm: the paired test's p-value, corrected for all that were tried.
    """

    blend: float
    paired: Paired
    p_holm: float

    @property
    def is_better(self) -> bool:
        """Whether it beats the plain search by the corrected test."""
        return self.paired.comparison.difference > 0 and self.p_holm < _SIGNIFICANT


@dataclass(frozen=True, slots=True, eq=False)
class BlendTuning:
    """What came of it.

    Args:
        plain: the study of the plain search: blend 0.
        tried: by blend, ascending.
    """

    plain: Study
    tried: tuple[TriedBlend, ...]

    @property
    def best(self) -> TriedBlend | None:
        """The blend that finds most, of equal ones the smallest; None where none finds more than blend 0."""
        best = max(self.tried, key=lambda each: (each.paired.value, -each.blend))
        return best if best.paired.comparison.difference > 0 else None

    @property
    def blend(self) -> float:
        """To be used."""
        return self.best.blend if self.best else 0.0


def tune_blend(
    study_of: Callable[[float], Study], blends: Sequence[float] = BLENDS, *, seed: int = 0
) -> BlendTuning:
    """Measure blends against the plain search.

    Args:
        study_of: the validation part, searched with a blend; with 0, plainly.
        blends: ascending, above 0.
        seed: of the intervals and permutations.

    Raises:
        SpecError: nothing to try.
    """
    if not blends:
        raise SpecError("There is no blend to try: give at least one, above 0.")
    plain = study_of(0.0)
    found = [compare_studies(study_of(blend), plain, seed=seed) for blend in blends]
    corrected = holm([paired.comparison.p_value for paired in found])
    return BlendTuning(plain, tuple(map(TriedBlend, blends, found, corrected)))
