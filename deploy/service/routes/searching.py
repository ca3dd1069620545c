"""Searching: by an item, by what is liked, or by an image that is sent."""

from __future__ import annotations

import base64
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from cbir.errors import CbirError
from deploy.service.asking import Found, ask
from deploy.service.models import (
    MAX_HITS,
    BatchAnswer,
    BatchedAnswer,
    ImageQuestion,
    ItemQuestion,
    Questions,
    SearchAnswer,
    SearchedIndex,
)
from deploy.service.parts import CallerOf, IndexName, ServiceOf, View, seen
from deploy.service.problems import Problem, problem_of, problem_responses, said_of
from deploy.service.showing import reranking

if TYPE_CHECKING:
    from deploy.service.keys import Caller
    from deploy.service.models import Question
    from deploy.service.parts import Service

router = APIRouter(prefix="/v1/indexes/{index}/search", tags=["search"])

_JSON, _MULTIPART = "application/json", "multipart/form-data"
_MAX_QUESTION_BYTES = 64 * 1024
_BODY = {
    "required": True,
    "content": {
        _JSON: {"schema": {"$ref": "#/components/schemas/ItemQuestion"}},
        _MULTIPART: {
            "schema": {
                "type": "object",
                "required": ["file"],
                "additionalProperties": False,
                "properties": {
                    "file": {
                        "type": "string",
                        "format": "binary",
                        "description": "A DICOM file or an image.",
                    },
                    "question": {"$ref": "#/components/schemas/ImageQuestion"},
                },
            },
            "encoding": {"question": {"contentType": _JSON}},
        },
    },
}


@router.post("", responses=problem_responses(409, 415, 422), openapi_extra={"requestBody": _BODY})
async def search(index: IndexName, request: Request, service: ServiceOf, caller: CallerOf) -> SearchAnswer:
    """The items most like an image that is sent, like an item of the index, or like items that are liked.

    Research use only, not for diagnosis.
    """
    with seen(service, caller, index) as view:
        question, image = await _asked(request)
        where = service.showing.condition(question.where)
        work = partial(ask, view.index, view.generation, question, where=where, image=image)
        lane = service.working.quick if image is None else service.working.images
        found = await lane.run(work)
        searched = _searched(index, view)
    _note(service, caller, searched, question, found)
    return _answer(service, searched, found)


@router.post("/batch", responses=problem_responses(409, 422))
async def search_for_several(
    index: IndexName, asked: Questions, service: ServiceOf, caller: CallerOf
) -> BatchAnswer:
    """Several searches by items, each with its own answer or problem.

    Research use only, not for diagnosis.
    """
    if sum(question.k for question in asked.questions) > MAX_HITS:
        detail = f"The questions ask for more than {MAX_HITS} hits together: ask for fewer at a time."
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    answers = []
    with seen(service, caller, index) as view:
        searched = _searched(index, view)
        for question in asked.questions:
            found = await service.working.quick.run(partial(_tried, service, view, question))
            if isinstance(found, Problem):
                answers.append(BatchedAnswer(answer=None, problem=found.document()))
                continue
            _note(service, caller, searched, question, found)
            answers.append(BatchedAnswer(answer=_answer(service, searched, found), problem=None))
    return BatchAnswer(answers=answers)


def _tried(service: Service, view: View, question: ItemQuestion) -> Found | Problem:
    try:
        where = service.showing.condition(question.where)
        return ask(view.index, view.generation, question, where=where)
    except Problem as problem:
        return problem
    except CbirError as error:
        return problem_of(error)


def _searched(name: str, view: View) -> SearchedIndex:
    index = view.index
    return SearchedIndex(
        name=name, generation=index.generation, fingerprint=index.fingerprint, n_items=len(index)
    )


async def _asked(request: Request) -> tuple[Question, bytes | None]:
    """The question of a request, and the image that came with it.

    Raises:
        Problem: 400 or 415, no such question.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == _JSON:
            return ItemQuestion.model_validate_json(await request.body()), None
        if kind == _MULTIPART:
            return await _sent(request)
    except ValidationError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, said_of(error.errors(include_url=False))) from None
    detail = f"Send {_JSON} to search by items, or {_MULTIPART} to search by an image."
    raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)


async def _sent(request: Request) -> tuple[ImageQuestion, bytes]:
    async with request.form(max_files=2, max_fields=1, max_part_size=_MAX_QUESTION_BYTES) as form:
        parts = dict(form.multi_items())
        unknown = sorted(set(parts) - {"file", "question"})
        file, text = parts.get("file"), parts.get("question", "{}")
        if isinstance(text, UploadFile):
            text = (await text.read(_MAX_QUESTION_BYTES)).decode("utf-8", "replace")
        if unknown or len(parts) != len(form.multi_items()) or not isinstance(file, UploadFile):
            detail = "Send one part named file, which is a file, and at most one named question, in JSON."
            raise Problem(HTTPStatus.BAD_REQUEST, detail)
        return ImageQuestion.model_validate_json(text), await file.read()


def _note(service: Service, caller: Caller, asked: SearchedIndex, question: Question, found: Found) -> None:
    service.metrics.searches.labels(asked.name, "item" if found.image_sha256 is None else "image").inc()
    service.audit.searched(
        caller,
        asked.name,
        generation=asked.generation,
        question=question.model_dump_json(exclude_defaults=True),
        upload_sha256=found.image_sha256,
        hits=[hit.item.id for hit in found.hits],
    )


def _answer(service: Service, searched: SearchedIndex, found: Found) -> SearchAnswer:
    return SearchAnswer(
        index=searched,
        hits=[service.showing.hit(hit, found.reranked) for hit in found.hits],
        rerank=None if found.reranked is None else reranking(found.reranked),
        prediction=None if found.predicted is None else service.showing.prediction(found.predicted),
        refine=list(found.refined_by),
        where=found.where,
        notes=list(found.notes),
        thumbnail=base64.b64encode(found.thumbnail).decode("ascii") if found.thumbnail else None,
        seconds={name: round(value, 6) for name, value in found.seconds.items()},
    )
