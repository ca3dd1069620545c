"""What an evaluation is compared with: other indexes, and the same one's plain search."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cbir.evaluation.pairing import Paired, compare_studies
from cli.opening import open_index
from indexer.refine import wording
from indexer.study import study_index

if TYPE_CHECKING:
    from cbir.evaluation.protocol import Study
    from cli.evaluation_request import Request
    from indexer.index import Index


@dataclass(frozen=True, slots=True)
class Compared:
    """Another search for the same queries.

    Args:
        index: searched.
        refined_by: how, as ``wording`` says it.
        is_plain: whether it is the evaluated index, searched without refinements and re-ranker.
        paired: how the evaluated search differs from it.
    """

    index: Path
    refined_by: tuple[str, ...]
    is_plain: bool
    paired: Paired

    @property
    def name(self) -> str:
        """For a table."""
        return "its plain search" if self.is_plain else str(self.index)


def compare_with_others(study: Study, index: Index, asking: Index | None, request: Request) -> list[Compared]:
    """Compare a study with the plain search, where it is none, and with the indexes asked for.

    Those are refined as it is; re-ranked they are not, for a classifier is attached to one index.
    """
    plan = request.plan
    found = []
    if plan.refinements or request.rerank:
        plain = study_index(index, replace(plan, refinements=()), asking=asking)
        paired = compare_studies(study, plain, seed=request.seed)
        found.append(Compared(request.settings.index, (), True, paired))
    for path in request.compare:
        with open_index(request.settings, path) as other:
            paired = compare_studies(study, study_index(other, plan), seed=request.seed)
        found.append(Compared(path, tuple(map(wording, plan.refinements)), False, paired))
    return found
