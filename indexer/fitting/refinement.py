"""Which refinements, with which numbers, find more on a validation part; and whether that may be luck."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from cbir.errors import ItemsError, SpecError
from cbir.evaluation.comparison import holm
from cbir.evaluation.pairing import Paired, compare_studies
from indexer.study import StudyPlan, study_index

if TYPE_CHECKING:
    from cbir.evaluation.protocol import Study
    from indexer.index import Index
    from indexer.refine import Refinement

_MAX_TRIED = 256
_SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Tried:
    """One setting.

    Args:
        refinements: at least one.
        paired: macro P@k, refined against plain, on the same queries.
        p_holm: the paired test's p-value, corrected for all that were tried.
    """

    refinements: tuple[Refinement, ...]
    paired: Paired
    p_holm: float

    @property
    def is_better(self) -> bool:
        """Whether it beats the plain search by the corrected test."""
        return self.paired.comparison.difference > 0 and self.p_holm < _SIGNIFICANT


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """What came of it.

    Args:
        plain: the study of the plain search.
        tried: every setting, the best first; of equal ones the first tried.
    """

    plain: Study
    tried: tuple[Tried, ...]


def tune_refinements(
    index: Index,
    plan: StudyPlan,
    grid: Sequence[Sequence[Refinement]],
    *,
    seed: int = 0,
    on_tried: Callable[[int, int], None] | None = None,
) -> Tuning:
    """Measure the plain search, and each setting of a grid against it.

    Args:
        index: to search.
        plan: who asks: a validation part, never every labelled item, so that others are left to report on.
            Without a gallery the part is its own: no label outside of it has a say.
        grid: for each refinement, its settings; each is tried with every setting of the others, and left
            out.
        seed: of the intervals and permutations.
        on_tried: called after each, with how many were tried and how many will be.

    Raises:
        ItemsError: no part, or a part that leaves nobody; otherwise as ``study_index``.
        SpecError: nothing to try, or more than can be told apart.
    """
    if not grid:
        raise SpecError("There is nothing to try: name a refinement, such as expand.")
    settings = [
        tuple(each for each in chosen if each is not None)
        for chosen in product(*([None, *tried] for tried in grid))
    ][1:]
    if len(settings) > _MAX_TRIED:
        raise SpecError(f"The grid has {len(settings)} settings; try {_MAX_TRIED} at most: fewer values.")
    plan = validation_plan(index, plan)
    plain = study_index(index, replace(plan, refinements=()))
    found = []
    for number, refinements in enumerate(settings, start=1):
        study = study_index(index, replace(plan, refinements=refinements), tells_leak=False)
        found.append(compare_studies(study, plain, seed=seed))
        if on_tried:
            on_tried(number, len(settings))
    corrected = holm([paired.comparison.p_value for paired in found])
    tried = [Tried(*each) for each in zip(settings, found, corrected, strict=True)]
    return Tuning(plain, tuple(sorted(tried, key=lambda each: -each.paired.value)))


def validation_plan(index: Index, plan: StudyPlan) -> StudyPlan:
    """The plan of a tuning: a part asks, and without a gallery is its own.

    Raises:
        ItemsError: no part, or all there is.
    """
    if plan.queries is None:
        raise ItemsError(
            "Tuning takes a validation part, so that others are left to report on: name who asks, "
            "such as split=val (cbir items split writes such a column)."
        )
    everything = list(index.items())
    asking = {item.id for item in plan.queries.of(everything, str(index.path))}
    if all(item.id in asking for item in everything):
        raise ItemsError(
            f"{plan.queries} is all {len(everything)} items of {str(index.path)!r}: what is tuned on all of "
            "them can be measured on none. Name a validation part, such as split=val."
        )
    return plan if plan.gallery else replace(plan, gallery=plan.queries, may_share_groups=True)
