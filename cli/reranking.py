"""`--rerank`, from its texts to what is done with hits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cbir.types import Hit, Query
    from classifiers.attached import AttachedClassifier
    from cli.renderers.answer import Reranked
    from indexer.asking.reranked import Reranking

DEFAULT_DEPTH = 100

By = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Order the best hits anew by whether an attached classifier says the same of them and the "
        "query.",
    ),
]
Depth = Annotated[
    int | None,
    typer.Option(min=1, help=f"Of --rerank: how many hits are ordered anew (default: {DEFAULT_DEPTH})."),
]


@dataclass(frozen=True, slots=True)
class Rerank:
    """What `--rerank` asks for.

    Args:
        name: of an attached classifier.
        depth: how many hits are ordered anew.
        blend: of similarity and agreement, once the index was asked.
    """

    name: str
    depth: int = DEFAULT_DEPTH
    blend: float | None = None

    def __str__(self) -> str:
        blend = "" if self.blend is None else f", blend {self.blend:g}"
        return f"{self.name} (the {self.depth} best hits{blend})"


def reranking(name: str | None, depth: int | None, k: int, clashes: Mapping[str, object]) -> Rerank | None:
    """What a command line asks for; None for nothing.

    Args:
        name: of the classifier.
        depth: None for the default.
        k: how many hits are asked for.
        clashes: other options with their values, none of which may be given.

    Raises:
        BadParameter: what can't go together.
    """
    if name is None:
        if depth is not None:
            raise typer.BadParameter("--rerank-depth goes with --rerank NAME")
        return None
    if clash := next((option for option, value in clashes.items() if value), None):
        raise typer.BadParameter(f"--rerank and {clash} can't go together: leave out one of them")
    asked = Rerank(name, DEFAULT_DEPTH if depth is None else depth)
    if k > asked.depth:
        raise typer.BadParameter(
            f"--rerank orders {asked.depth} hits anew, and -k asks for {k}: give --rerank-depth {k}"
        )
    return asked


def item_reranking(there: AttachedClassifier, asked: Rerank) -> Reranking:
    """For queries that are items of the index: each has its own posterior there."""
    from indexer.asking.reranked import Reranking

    return Reranking(there.reranker(), asked.depth)


def rerank_hits(
    there: AttachedClassifier,
    asked: Rerank,
    query: Query,
    hits: Sequence[Hit],
    posterior: NDArray[np.float32],
) -> tuple[list[Hit], Reranked]:
    """The hits of one query in their new order, and what is to be said of it.

    Args:
        there: the attached classifier.
        asked: the depth.
        query: that found them.
        hits: of the plain search, as many as the depth.
        posterior: (n_classes,), of the query; of NaN where it has none.
    """
    import math

    from cli.renderers.answer import Reranked

    settings = there.settings
    reranker = there.reranker(asked=posterior)
    agreed = reranker.agreements(query, hits).tolist()
    known = zip(settings.classes, posterior.tolist(), strict=True)
    said = Reranked(
        by=there.name,
        depth=asked.depth,
        blend=settings.blend,
        is_tuned=settings.tuned is not None,
        posterior={name: value for name, value in known if not math.isnan(value)},
        cosines={hit.item.id: hit.score for hit in hits},
        agreements={
            hit.item.id: None if math.isnan(value) else value for hit, value in zip(hits, agreed, strict=True)
        },
    )
    return reranker.rerank(query, hits), said


def notes_of_study(
    there: AttachedClassifier, query_ids: Sequence[str], gallery_ids: Sequence[str]
) -> tuple[str, ...]:
    """What a reader of a re-ranked evaluation must know of those who asked, and of those who were found."""
    import numpy as np

    said = []
    n_learned = int(there.learned_from(query_ids).sum())
    if n_learned:
        said.append(
            f"{n_learned} of {len(query_ids)} queries were learned from by {there.name}: it knows their "
            "labels, and the numbers are too good. Ask a part that it has not seen: --queries split=test"
        )
    n_found = int(there.learned_from(gallery_ids).sum())
    if n_found:
        said.append(
            f"{n_found} of {len(gallery_ids)} items of the gallery were learned from by {there.name}: what "
            "it says of them is nearly their label, and re-ranking nearly chooses by label"
        )
    n_unknown = int(np.isnan(there.posteriors(query_ids)).any(axis=1).sum())
    if n_unknown:
        said.append(
            f"{n_unknown} of {len(query_ids)} queries have no posterior of {there.name}, and found as in the "
            "plain search: run cbir classify attach again"
        )
    if there.settings.tuned is None:
        said.append(untuned(there.name, there.settings.blend))
    return tuple(said)


def untuned(name: str, blend: float) -> str:
    """That nobody has tuned a blend."""
    return f"the blend {blend:g} of {name} was never tuned: cbir classify tune {name} --queries split=val"
