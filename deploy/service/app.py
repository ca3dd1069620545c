"""The parts of the service, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from cbir import __version__
from cbir.errors import SpecError
from deploy.service.audit import Audit
from deploy.service.gate import Gate
from deploy.service.keys import Keys
from deploy.service.logs import JsonLines
from deploy.service.metrics import Metrics
from deploy.service.models import ImageQuestion, ItemQuestion
from deploy.service.observing import Observed
from deploy.service.opened import OpenedIndexes
from deploy.service.parts import Service
from deploy.service.problems import ProblemDocument, handle_problems
from deploy.service.routes import health, indexes, items, searching
from deploy.service.settings import NOTICE
from deploy.service.showing import Showing
from deploy.service.working import Working

if TYPE_CHECKING:
    from deploy.service.settings import ServiceSettings

_EVERY_S = 1.0
_REF = "#/components/schemas/{model}"


def create_app(settings: ServiceSettings) -> FastAPI:
    """Open the indexes, and make the application that answers from them; its ``state.service`` has the parts.

    Raises:
        CbirError: an index or the file of keys can't be read.
        OSError: the audit can't be written.
    """
    service = _service(settings)
    app = FastAPI(
        title="cbir", version=__version__, description=f"Which cases look like this one? {NOTICE}",
        lifespan=_life, docs_url=None, redoc_url=None, openapi_url="/openapi.json",
    )  # fmt: skip
    app.state.service = service
    handle_problems(app)
    for each in (health, indexes, searching, items):
        app.include_router(each.router)
    app.add_middleware(Gate, settings=settings, metrics=service.metrics)
    app.add_middleware(Observed, service=service)
    app.openapi = lambda: _schema(app)  # type: ignore[method-assign]  # as FastAPI's manual has it
    return app


def _service(settings: ServiceSettings) -> Service:
    lines = JsonLines()
    metrics = Metrics()
    return Service(
        settings=settings,
        keys=None if settings.keys is None else Keys(settings.keys),
        audit=Audit(lines if settings.audit is None else JsonLines(settings.audit)),
        opened=OpenedIndexes(settings, metrics, lines),
        working=Working(settings.n_workers, settings.wait_s),
        showing=Showing(show_groups=settings.show_groups),
        lines=lines,
        metrics=metrics,
    )


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    """Look after indexes and keys while the service runs; close everything when it ends."""
    service: Service = app.state.service
    tasks = [asyncio.create_task(each) for each in (service.opened.warm(), _watch(service))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await asyncio.to_thread(service.working.close)
        service.opened.close()
        service.audit.close()


async def _watch(service: Service) -> None:
    while True:
        await asyncio.sleep(_EVERY_S)
        await service.opened.refresh()
        if service.keys is not None:
            try:
                await asyncio.to_thread(service.keys.refresh)
            except SpecError as error:
                service.lines.write("keys", state="unreadable", error=type(error).__name__)


def _schema(app: FastAPI) -> dict[str, object]:
    """OpenAPI, with the bodies that a route reads itself, and with keys where they are asked for."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        parts = made.setdefault("components", {})
        schemas = parts.setdefault("schemas", {})
        for model in (ItemQuestion, ImageQuestion, ProblemDocument):
            found = model.model_json_schema(ref_template=_REF)
            schemas |= found.pop("$defs", {})
            schemas[model.__name__] = found
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for path, methods in made["paths"].items():
            for said in methods.values():
                responses = said["responses"]
                if "$ref" in str(responses.get("422", "")) and "HTTPValidationError" in str(responses["422"]):
                    del responses["422"]
                if app.state.service.keys is not None and path not in {"/livez", "/readyz"}:
                    said["security"] = [{"key": []}]
        if app.state.service.keys is not None:
            parts["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        app.openapi_schema = made
    return app.openapi_schema
