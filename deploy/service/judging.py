"""What is made of the hits of a search: re-ranked by a classifier, and asked for their labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cbir.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbir.items.where import Condition
    from cbir.types import Hit, Query
    from deploy.labelling.predicting import Look, Predicted
    from deploy.service.models import Question
    from indexer.index import Index


@dataclass(frozen=True, slots=True)
class Reranked:
    """Hits in a new order, and why.

    Args:
        hits: best first.
        by: the attached classifier.
        depth: how many were ordered anew, at most.
        blend: score = (1 − blend)·cosine + blend·agreement.
        is_tuned: whether somebody has chosen the blend by what it finds.
        posterior: of the query, by class; empty where it has none.
        cosines: of every hit that was ordered anew, by item id.
        agreements: likewise; None where one of the two has no posterior.
    """

    hits: tuple[Hit, ...]
    by: str
    depth: int
    blend: float
    is_tuned: bool
    posterior: Mapping[str, float]
    cosines: Mapping[str, float]
    agreements: Mapping[str, float | None]


def check_reranking(question: Question) -> None:
    """Refuse what can't go together.

    Raises:
        SpecError: a re-ranking of refined hits, or of fewer hits than are asked for.
    """
    if question.rerank is None:
        return
    if question.refine:
        raise SpecError("rerank and refine can't go together: leave out one of them.")
    if question.k > question.rerank_depth:
        raise SpecError(
            f"rerank_depth is {question.rerank_depth}, and k is {question.k}: order at least k hits anew."
        )


def rerank(query: Query, hits: Sequence[Hit], look: Look, *, depth: int, k: int) -> Reranked:
    """Order hits anew by whether the classifier says the same of them and of the query.

    Args:
        query: that found them.
        hits: of the plain search, as many as the depth.
        look: of the classifier at the query.
        depth: how many were asked for.
        k: how many are wanted.
    """
    settings = look.there.settings
    reranker = look.there.reranker(asked=look.posterior)
    agreed = reranker.agreements(query, hits).tolist()
    posterior = zip(settings.classes, look.posterior.tolist(), strict=True)
    return Reranked(
        hits=tuple(reranker.rerank(query, hits)[:k]),
        by=look.there.name,
        depth=depth,
        blend=settings.blend,
        is_tuned=settings.tuned is not None,
        posterior={name: value for name, value in posterior if not math.isnan(value)},
        cosines={hit.item.id: hit.score for hit in hits},
        agreements={
            hit.item.id: None if math.isnan(value) else value for hit, value in zip(hits, agreed, strict=True)
        },
    )


def predict(
    index: Index,
    query: Query,
    question: Question,
    *,
    where: Condition | None,
    look: Look | None,
    image_sha256: str | None,
) -> Predicted:
    """Say what a query is, by the labels of the index; a copy of the image that asks has no vote.

    Raises:
        UnlabelledError: no item has a label.
    """
    from deploy.labelling.predicting import predict as predict_query

    copies = index.items_by_content(image_sha256) if image_sha256 else []
    voters = replace(query, without=query.without | {item.id for item in copies})
    said = {
        "a region": getattr(question, "roi", None) is not None,
        "liked items": question.like or question.unlike,
        "other views": getattr(question, "tta", None) is not None,
        "a condition": question.where,
    }
    beside = next((words for words, value in said.items() if value), "")
    return predict_query(index, voters, where=where, look=look, beside=beside)
