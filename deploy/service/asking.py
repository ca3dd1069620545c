"""A question of a caller, from the index to the hits; knows nothing of HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from cbir.types import Hit, Query
from deploy.service.judging import Reranked, check_reranking, predict, rerank
from deploy.service.models import ItemQuestion
from deploy.service.problems import not_found
from deploy.service.uploads import Upload, Uploads

if TYPE_CHECKING:
    from cbir.images.tiles import Box
    from cbir.items.where import Condition
    from deploy.labelling.predicting import Look, Predicted
    from deploy.service.looking import AttachedLooking
    from deploy.service.models import ImageQuestion, Question
    from deploy.service.opened import Generation
    from indexer.index import Index
    from indexer.refine import Refinement


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a question.

    Args:
        hits: best first.
        refined_by: the refinements, every setting said.
        where: the condition as it was understood; None for none.
        notes: what reading did to the image that was sent.
        thumbnail: of it, a JPEG; empty where the question was of items.
        image_sha256: of that image's file; None where there was none.
        seconds: by stage.
        reranked: how the hits were ordered anew; None where nobody asked for that.
        predicted: what the query is; likewise.
    """

    hits: tuple[Hit, ...]
    refined_by: tuple[str, ...]
    where: str | None
    notes: tuple[str, ...]
    thumbnail: bytes
    image_sha256: str | None
    seconds: Mapping[str, float]
    reranked: Reranked | None = None
    predicted: Predicted | None = None


@dataclass(frozen=True, slots=True)
class Starting:
    """What is searched with, before anything was liked or disliked."""

    query: Query | None
    notes: tuple[str, ...] = ()
    thumbnail: bytes = b""
    image_sha256: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)


def ask(
    index: Index,
    generation: Generation,
    question: Question,
    *,
    where: Condition | None = None,
    image: bytes | None = None,
) -> Found:
    """Search an index; blocks.

    Args:
        index: as the caller sees it.
        generation: that it is of.
        question: with an image, an ``ImageQuestion``.
        where: the question's condition, read.
        image: that was sent.

    Raises:
        Problem: an item that the caller does not have.
        CbirError: what can't be searched for.
    """
    check_reranking(question)
    refinements = _refinements(question)
    name = _classifier_name(index, question)
    looking = None if name is None else generation.classifier(name)
    starting = _starting(index, generation.uploads, question, image)
    look = None if looking is None else _look(looking, question, image)
    query = _moved(index, starting.query, question)
    began = time.perf_counter()
    hits, reranked = _hits(index, query, question, refinements, where=where, look=look)
    searched_s = time.perf_counter() - began
    predicted = None
    if question.predict:
        predicted = predict(
            index, query, question, where=where, look=look, image_sha256=starting.image_sha256
        )
    return Found(
        hits=hits,
        refined_by=_worded(refinements),
        where=_written(where),
        notes=starting.notes,
        thumbnail=starting.thumbnail,
        image_sha256=starting.image_sha256,
        seconds={**starting.seconds, "search": searched_s},
        reranked=reranked,
        predicted=predicted,
    )


def _hits(
    index: Index,
    query: Query,
    question: Question,
    refinements: tuple[Refinement, ...],
    *,
    where: Condition | None,
    look: Look | None,
) -> tuple[tuple[Hit, ...], Reranked | None]:
    search: Callable[..., list[list[Hit]]] = index.search_many
    if refinements:
        from indexer.refine import refined_search

        search = partial(refined_search, index, refinements=refinements)
    is_reranked = question.rerank is not None and look is not None
    k = question.rerank_depth if is_reranked else question.k
    hits = search([query], k, exclude_same_group=question.exclude_same_group, where=where)[0]
    if look is None or not is_reranked:
        return tuple(hits), None
    reranked = rerank(query, hits, look, depth=question.rerank_depth, k=question.k)
    return reranked.hits, reranked


def _classifier_name(index: Index, question: Question) -> str | None:
    """Of what looks at the query beside the extractor; None for nothing."""
    if question.rerank is not None or not question.predict:
        return question.rerank
    from deploy.labelling.predicting import classifier_asked

    return classifier_asked(index)


def _look(looking: AttachedLooking, question: Question, image: bytes | None) -> Look:
    if not isinstance(question, ItemQuestion):
        return looking.at_image(image or b"", _region(question))
    return looking.at_nothing() if question.item is None else looking.at_item(question.item)


def _starting(index: Index, uploads: Uploads, question: Question, image: bytes | None) -> Starting:
    if isinstance(question, ItemQuestion):
        if question.item is None:
            return Starting(None)
        try:
            return Starting(index.query(question.item))
        except KeyError:
            raise not_found("item", question.item) from None
    return _of_image(index, uploads, question, image or b"")


def _of_image(index: Index, uploads: Uploads, question: ImageQuestion, image: bytes) -> Starting:
    upload = Upload(image, _region(question), question.tta)
    found = uploads.query(index, upload)
    return Starting(found.query, found.notes, found.thumbnail, upload.sha256, found.seconds)


def _region(question: ImageQuestion) -> Box | None:
    if question.roi is None:
        return None
    x, y, width, height = question.roi
    return x, y, width, height


def _moved(index: Index, query: Query | None, question: Question) -> Query:
    """The query, moved as liked and unliked items say."""
    if query is not None and not question.like and not question.unlike:
        return query
    from indexer.asking.feedback import query_by_feedback

    try:
        return query_by_feedback(index, query, liked=question.like, unliked=question.unlike)
    except KeyError as error:
        raise not_found("item", str(error.args[0])) from None


def _refinements(question: Question) -> tuple[Refinement, ...]:
    if not question.refine:
        return ()
    from indexer.refine import parse_refinements

    return parse_refinements(question.refine)


def _worded(refinements: tuple[Refinement, ...]) -> tuple[str, ...]:
    if not refinements:
        return ()
    from indexer.refine import wording

    return tuple(map(wording, refinements))


def _written(where: Condition | None) -> str | None:
    if where is None:
        return None
    from cbir.items.where import written

    return written(where)
