"""Every error as ``application/problem+json`` (RFC 9457); no answer names a path of this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from cbir.errors import (
    AttachmentError,
    BackendError,
    CbirError,
    ColumnError,
    FingerprintError,
    ImageError,
    IndexDamagedError,
    IndexLockedError,
    IndexMissingError,
    SkipReason,
    TenantError,
)
from cbir.printable import printable

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

MEDIA_TYPE = "application/problem+json"

_MAX_DETAIL = 1000
_PATH = re.compile(r"(?<![\w<])(?:/[^\s'\",;:]+)+")
_RETRY_S = 1

_STATUS: Mapping[type[CbirError], HTTPStatus] = {
    TenantError: HTTPStatus.FORBIDDEN,
    FingerprintError: HTTPStatus.CONFLICT,
    IndexLockedError: HTTPStatus.CONFLICT,
    IndexMissingError: HTTPStatus.SERVICE_UNAVAILABLE,
    IndexDamagedError: HTTPStatus.SERVICE_UNAVAILABLE,
    BackendError: HTTPStatus.SERVICE_UNAVAILABLE,
}
_DETAIL: Mapping[type[CbirError], str] = {
    TenantError: "The index keeps its items apart by tenant: ask with a key of one of its tenants.",
    FingerprintError: "The index holds imported embeddings and no network: ask with one of its items.",
    IndexLockedError: "The index is being changed by another process; ask again later.",
    IndexMissingError: "The index is not there at the moment.",
    IndexDamagedError: "The index can't be read at the moment.",
    BackendError: "The server that keeps the index's store can't be reached.",
}
"""Where the message of the error is for who has a shell on the machine."""


class ProblemDocument(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:cbir:problem:not-found",
                "title": "Not Found",
                "status": 404,
                "detail": "There is no item 'nobody'.",
            }
        }
    )

    type: str = Field(description="Which problem; stays the same from version to version.")
    title: str
    status: int
    detail: str = Field(description="What is wrong with this request, and what to do.")


class Problem(Exception):  # noqa: N818 (the standard's word)
    """An answer that is no success.

    Args:
        status: of the answer.
        detail: one line without paths or patient data.
        retry_s: after which the same request may succeed; None where it won't.
        headers: of the answer, besides.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        retry_s: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        if retry_s is not None:
            self.headers["Retry-After"] = str(retry_s)

    def document(self) -> ProblemDocument:
        """As JSON says it."""
        return ProblemDocument(
            type=f"urn:cbir:problem:{self.status.phrase.lower().replace(' ', '-')}",
            title=self.status.phrase,
            status=self.status,
            detail=printable(self.detail)[:_MAX_DETAIL],
        )

    def response(self) -> Response:
        """As it is sent."""
        return Response(self.document().model_dump_json(), self.status, self.headers, MEDIA_TYPE)


def problem_of(error: CbirError) -> Problem:
    """What a caller is told of an error that cbir raised on purpose."""
    kind = next((each for each in _STATUS if isinstance(error, each)), None)
    if kind is not None:
        status = _STATUS[kind]
        retry_s = _RETRY_S if status is HTTPStatus.SERVICE_UNAVAILABLE else None
        return Problem(status, _DETAIL[kind], retry_s=retry_s)
    if isinstance(error, ImageError):
        is_large = error.reason is SkipReason.TOO_LARGE
        status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if is_large else HTTPStatus.UNPROCESSABLE_ENTITY
        return Problem(status, f"The image can't be searched for: {without_paths(str(error))}.")
    if isinstance(error, ColumnError):
        return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"The index has no column {error.column!r}.")
    if isinstance(error, AttachmentError):
        return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The index has no classifier of that name.")
    if type(error) is CbirError:  # of the machine, as decoders that can't start
        return Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "The service can't do this at the moment.", retry_s=_RETRY_S
        )
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, without_paths(str(error)))


def not_found(what: str, name: str) -> Problem:
    """Nothing of that name, or nothing that the caller may see: the answer is the same."""
    return Problem(HTTPStatus.NOT_FOUND, f"There is no {what} {printable(name)!r}.")


def without_paths(text: str) -> str:
    """A message with every path of a file system left out."""
    return _PATH.sub("(path)", " ".join(text.split()))


def handle_problems(app: FastAPI) -> None:
    """Answer every error that a route raises as a problem."""
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException

    for kind in (Problem, CbirError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _answer)


def said_of(errors: Sequence[Mapping[str, object]]) -> str:
    """What pydantic found, without the values: they are the caller's, and may be long."""
    found = []
    for each in errors[:5]:
        where = ".".join(map(str, each["loc"])) if isinstance(each["loc"], tuple) else ""
        found.append(f"{where}: {each['msg']}" if where else str(each["msg"]))
    return "; ".join(found)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, object]]:
    """How OpenAPI is told of problems: of every route these, and those that any route may have."""
    schema = {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}
    found: dict[int | str, dict[str, object]] = {}
    for status in sorted({400, 401, 403, 404, 408, 413, 429, 500, 503, *statuses}):
        found[status] = {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: schema}}
    return found


async def _answer(_: Request, error: Exception) -> Response:
    return _as_problem(error).response()


def _as_problem(error: Exception) -> Problem:
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException

    match error:
        case Problem():
            return error
        case CbirError():
            return problem_of(error)
        case HTTPException():
            status = HTTPStatus(error.status_code)
            return Problem(status, f"{status.description or status.phrase}.", headers=error.headers)
        case RequestValidationError():
            return Problem(HTTPStatus.BAD_REQUEST, said_of(error.errors()))
        case _:
            raise error
