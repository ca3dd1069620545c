"""A table of predictions measured, and held against others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cbir.evaluation.comparison import holm
from cbir.evaluation.seeds import Spread
from classifiers.evaluation.comparison import Paired, compare, spread_over_seeds
from classifiers.evaluation.judged import Judged
from classifiers.evaluation.summary import Summary, summarise


@dataclass(frozen=True, slots=True)
class Compared:
    """Another classifier on the same images.

    Args:
        name: of its table.
        paired: how the first differs from it.
        p_holm: by measure, corrected for the number of all comparisons made.
    """

    name: str
    paired: Paired
    p_holm: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What was measured.

    Args:
        judged: the images and their posteriors.
        summary: their numbers.
        compared: other classifiers.
        spreads: over the training's seeds, by measure; empty for one.
        seed: of every draw.
    """

    judged: Judged
    summary: Summary
    compared: tuple[Compared, ...]
    spreads: Mapping[str, Spread]
    seed: int

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for each thing that a reader of the numbers must know."""
        left_out = (
            f"not compared with {each.name}: {n} images that only one of the two tables has"
            for each in self.compared
            if (n := each.paired.n_left_out)
        )
        return (*self.judged.notes, *left_out)


def evaluate(
    judged: Judged,
    *,
    others: Sequence[tuple[str, Judged]] = (),
    repeats: Sequence[Judged] = (),
    seed: int = 0,
) -> Evaluation:
    """Measure predictions.

    Args:
        judged: what is evaluated.
        others: names and predictions of other classifiers, of the same images.
        repeats: of the same one from other training seeds.
        seed: of every draw.

    Raises:
        ItemsError: the tables do not fit each other.
    """
    paired = [(name, compare(judged, other, seed=seed)) for name, other in others]
    p_values = [found.p_value for _, each in paired for *_, found in each.values.values()]
    corrected = iter(holm(p_values))
    compared = [
        Compared(name, each, dict(zip(each.values, corrected, strict=False))) for name, each in paired
    ]
    spreads = spread_over_seeds([judged, *repeats]) if repeats else {}
    return Evaluation(judged, summarise(judged, seed=seed), tuple(compared), spreads, seed)
