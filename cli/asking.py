"""A query of the command line, from its text to the answer; decoder and networks start side by side."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from cbir.errors import CbirError, FingerprintError
from cbir.printable import printable
from cbir.types import Hit, Query
from cli.asking_image import blank_answer, image_query
from cli.exit_codes import UsageProblem
from cli.opening import open_index
from cli.question import Question
from cli.renderers.answer import Answer, ExplainedHit, Reranked
from cli.settings import Settings
from indexer.index import Index

if TYPE_CHECKING:
    from cli.query_classifier import QueryClassifier
    from deploy.labelling.predicting import Predicted


def ask(question: Question, settings: Settings, *, started: float) -> Answer:
    """Search for an image file, an item, or what is like some items.

    Args:
        question: what is searched for, and how.
        settings: which index, which limits.
        started: `time.perf_counter` when the command began.

    Raises:
        CbirError: no such file or item, no image, no usable index.
    """
    opening = time.perf_counter()
    with open_index(settings, store=question.store, resident=False) as index:
        opened_s = time.perf_counter() - opening
        explain = _explanation(index, question, settings)
        classifier = _classifier(index, question)
        query, blank = _judged(index, question, *_asked(index, question, settings, classifier))
        searching = time.perf_counter()
        hits, reranked = _found(index, query, question, classifier)
        searched_s = time.perf_counter() - searching
        seconds = {"open": opened_s, **blank.seconds, "search": searched_s}
        predicting = time.perf_counter()
        predicted = _predicted(index, query, question, classifier)
        if predicted is not None:
            seconds["predict"] = time.perf_counter() - predicting
        if explain is not None:
            explaining = time.perf_counter()
            blank = replace(blank, explained=explain(hits))
            seconds["explain"] = time.perf_counter() - explaining
        seconds["total"] = time.perf_counter() - started
        pictures = {hit.item.id: index.thumbnail(hit.item.id) for hit in hits} if question.thumbnails else {}
        return replace(
            blank, k=question.k, hits=hits, refined_by=_refined_by(question), where=_where(question),
            seconds=seconds, thumbnails=pictures, predicted=predicted, reranked=reranked,
        )  # fmt: skip


def find(index: Index, queries: Sequence[Query], question: Question) -> list[list[Hit]]:
    """The hits of each query, found as the question says: every command that searches searches here."""
    search: Callable[..., list[list[Hit]]] = index.search_many
    if question.refinements:
        from indexer.refine import refined_search

        search = partial(refined_search, index, refinements=question.refinements)
    excludes = question.exclude_same_group
    return search(queries, question.k, exclude_same_group=excludes, where=question.where)


def _predicted(
    index: Index, query: Query, question: Question, classifier: QueryClassifier | None
) -> Predicted | None:
    if not question.predicts:
        return None
    from cli.predicting import predict

    return predict(index, query, question, classifier)


def _explanation(
    index: Index, question: Question, settings: Settings
) -> Callable[[Sequence[Hit]], Mapping[str, ExplainedHit]] | None:
    if question.explain is None:
        return None
    from cli.explaining import explanation

    return explanation(index, question, question.explain, settings)


def _classifier(index: Index, question: Question) -> QueryClassifier | None:
    """What looks at the query beside the extractor; None for nothing."""
    name = question.rerank.name if question.rerank else None
    if name is None and question.predicts:
        from deploy.labelling.predicting import classifier_asked

        name = classifier_asked(index)
    if name is None:
        return None
    from cli.query_classifier import QueryClassifier

    return QueryClassifier.of(index, name)


def _found(
    index: Index, query: Query, question: Question, classifier: QueryClassifier | None
) -> tuple[tuple[Hit, ...], Reranked | None]:
    """The hits of one query, re-ranked where that is asked for."""
    if question.rerank is None or classifier is None:
        return tuple(find(index, [query], question)[0]), None
    from cli.reranking import rerank_hits

    hits = find(index, [query], replace(question, k=question.rerank.depth))[0]
    best, done = rerank_hits(classifier.there, question.rerank, query, hits, classifier.posterior)
    return tuple(best[: question.k]), done


def _where(question: Question) -> str:
    if question.where is None:
        return ""
    from cbir.items.where import written

    return written(question.where)


def _refined_by(question: Question) -> tuple[str, ...]:
    if not question.refinements:
        return ()
    from indexer.refine import wording

    return tuple(map(wording, question.refinements))


def _asked(
    index: Index, question: Question, settings: Settings, classifier: QueryClassifier | None
) -> tuple[Query | None, Answer]:
    """The image or the item that is named, and an answer without hits."""
    text = question.text
    if text is None:
        return None, blank_answer(index, ", ".join(question.like))
    is_file = os.path.lexists(text)
    if not index.spec.can_embed:
        text = _imported_item(index, text, is_file=is_file)
    elif is_file:
        return image_query(index, text, question, settings, classifier)
    query, blank = _item_query(index, text)
    if classifier is not None:
        classifier.take_item(text)
    if question.region is not None:
        raise UsageProblem(
            f"--roi is of an image file, and {printable(text)} is an item: give its file, "
            f"{printable(index.item(text).path)}."
        )
    return query, blank


def _judged(index: Index, question: Question, query: Query | None, blank: Answer) -> tuple[Query, Answer]:
    """Move the query as the liked and unliked items say."""
    if query is not None and not question.like and not question.unlike:
        return query, blank
    from indexer.asking.feedback import query_by_feedback

    try:
        judged = query_by_feedback(index, query, liked=question.like, unliked=question.unlike)
    except KeyError as error:
        raise CbirError(
            f"{printable(str(error.args[0]))} is no item of index {index.path}. "
            "Give --like and --unlike an id from the hits of a search."
        ) from None
    return judged, replace(blank, like=question.like, unlike=question.unlike)


def _imported_item(index: Index, text: str, *, is_file: bool) -> str:
    """The id of an imported item, given its path or itself."""
    with contextlib.suppress(KeyError):
        return index.item(text).id
    path = os.path.abspath(text)  # noqa: PTH100 (names that are not UTF-8 stay)
    if found := next((item.id for item in index.items() if item.path == path), None):
        return found
    if is_file:
        raise FingerprintError(
            f"Index {index.path} holds embeddings imported as {index.spec.name} and no network to embed "
            f"{printable(text)} with. Search with the id or the path of one of its items."
        )
    return text


def _item_query(index: Index, text: str) -> tuple[Query, Answer]:
    try:
        query, item = index.query(text), index.item(text)
    except KeyError:
        raise CbirError(
            f"{printable(text)} is no file, and no item of index {index.path}. "
            "Give an image file, or an id from the hits of a search."
        ) from None
    blank = blank_answer(index, text)
    return query, replace(
        blank, query_item=text, query_label=item.label, query_thumbnail=index.thumbnail(text)
    )
