"""What `cbir evaluate` is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.reranking import Rerank
from cli.settings import Settings
from indexer.study import StudyPlan


@dataclass(frozen=True, slots=True)
class Request:
    """A question.

    Args:
        settings: the gallery's index, and whose items of it and of every other index.
        plan: who asks, and who may be found.
        queries: who asks, as the user said it; None for every item.
        gallery: who may be found, likewise.
        asking: another index that the queries come from.
        compare: other indexes of the same files.
        repeat: the same from other training seeds.
        rerank: the hits of this index, not of others; None leaves them as they are.
        run: another system's, judged in the place of the index's own search.
        definition: of ``DEFINITIONS``; None for our own alone.
        whole_lists: also measure what needs every hit.
        seed: of every draw.
        command: as it was typed.
    """

    settings: Settings
    plan: StudyPlan
    queries: str | None
    gallery: str | None
    asking: Path | None
    compare: Sequence[Path]
    repeat: Sequence[Path]
    rerank: Rerank | None
    run: Path | None
    definition: str | None
    whole_lists: bool
    seed: int
    command: str
