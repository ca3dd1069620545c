"""What `cbir search` is asked, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from cbir.images.tiles import Box
    from cbir.items.where import Condition
    from cli.reranking import Rerank
    from indexer.refine import Refinement


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What `cbir search` is asked.

    Args:
        text: a path, or else an item id; None to ask with liked items alone.
        k: how many hits.
        region: of the image file, in pixels of the image as read; None for the whole.
        like: ids of items to move the query towards.
        unlike: ids of items to move it away from.
        tta: the views of an image file; None for those of the index.
        exclude_same_group: leave the query's patient out.
        where: holds for the items that may be found; None for all.
        refinements: of the search.
        thumbnails: also fetch the pictures.
        store: search with this one instead of the index's own.
        predicts: also say what the query is.
        explain: the folder for maps of where the hits resemble the query; None for none.
        rerank: the hits, by an attached classifier; None leaves them as they are.
    """

    text: str | None
    k: int
    region: Box | None = None
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    tta: tuple[str, ...] | None = None
    exclude_same_group: bool = False
    where: Condition | None = None
    refinements: tuple[Refinement, ...] = ()
    thumbnails: bool = False
    store: str | None = None
    predicts: bool = False
    explain: Path | None = None
    rerank: Rerank | None = None
