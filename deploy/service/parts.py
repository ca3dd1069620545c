"""What routes are given: the parts of the service, and who asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Path, Request

from deploy.service.keys import Caller
from deploy.service.observing import KEY
from deploy.service.problems import Problem

if TYPE_CHECKING:
    from deploy.service.audit import Audit
    from deploy.service.keys import Keys
    from deploy.service.logs import JsonLines
    from deploy.service.metrics import Metrics
    from deploy.service.opened import Generation, OpenedIndexes
    from deploy.service.settings import ServiceSettings
    from deploy.service.showing import Showing
    from deploy.service.working import Working
    from indexer.index import Index

_BEARER = "bearer "


@dataclass(slots=True)
class Service:
    """The parts of a running service.

    Args:
        settings: as it was started.
        opened: the indexes.
        working: the threads.
        showing: what of an item is answered.
        keys: who may ask; None for everybody on this machine.
        audit: of searches.
        lines: the log.
        metrics: the numbers.
        is_draining: no new callers are wanted.
    """

    settings: ServiceSettings
    opened: OpenedIndexes
    working: Working
    showing: Showing
    keys: Keys | None
    audit: Audit
    lines: JsonLines
    metrics: Metrics
    is_draining: bool = False


def the_service(request: Request) -> Service:
    """The one that a request was sent to."""
    return cast("Service", request.app.state.service)


ServiceOf = Annotated[Service, Depends(the_service)]


def the_caller(request: Request, service: ServiceOf) -> Caller:
    """Who asks.

    Raises:
        Problem: 401, nobody that is known.
    """
    if service.keys is None:
        return Caller("local", "write", None, service.settings.tenant)
    said = request.headers.get("authorization", "")
    found = service.keys.caller(said[len(_BEARER) :].strip()) if said.lower().startswith(_BEARER) else None
    if found is None:
        raise Problem(
            HTTPStatus.UNAUTHORIZED, "Ask with a key of this service: Authorization: Bearer KEY.",
            headers={"WWW-Authenticate": 'Bearer realm="cbir"'},
        )  # fmt: skip
    request.scope[KEY] = found.id
    return found


CallerOf = Annotated[Caller, Depends(the_caller)]
IndexName = Annotated[
    str, Path(min_length=1, max_length=64, description="Of an index, as GET /v1/indexes lists it.")
]
ItemName = Annotated[str, Path(min_length=1, max_length=512, description="Of an item, as hits say it.")]


@dataclass(frozen=True, slots=True)
class View:
    """An index as a caller sees it."""

    index: Index
    generation: Generation


@contextmanager
def seen(service: Service, caller: Caller, name: str) -> Iterator[View]:
    """The index that a request is answered from, kept open until its end.

    Raises:
        Problem: the caller has no such index, or it is not there.
        TenantError: it keeps tenants, and the caller is none of them.
    """
    with service.opened.lease(name, caller) as generation:
        yield View(generation.index_for(caller), generation)
