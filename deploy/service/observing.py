"""Around every request: its line in the log, its numbers, the headers of its answer, and the last resort."""

from __future__ import annotations

import time
import traceback
from http import HTTPStatus
from typing import TYPE_CHECKING

from deploy.service.problems import Problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from deploy.service.parts import Service

KEY = "cbir.key"
"""Under which a request's scope says whose key it came with."""

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_NO_STORE = (b"cache-control", b"no-store")


class Observed:
    """ASGI middleware.

    Args:
        app: what is observed.
        service: its log, where requests stand by their route, never by what was asked for; its numbers;
            and whether it is about to stop.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service
        self._lines = service.lines
        self._metrics = service.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; an error that nobody expected is answered with 500, and logged by its place."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._headers(message["headers"])
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 (the last resort: the service lives)
            self._lines.write("failed", error=type(error).__name__, at=_place(error))
            if not status:
                problem = Problem(
                    HTTPStatus.INTERNAL_SERVER_ERROR, "The service has met an error of its own."
                )
                await problem.response()(scope, receive, sending)
        finally:
            self._note(scope, status, time.perf_counter() - started)

    def _headers(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        known = {name for name, _ in headers}
        more = [each for each in (*_HEADERS, _NO_STORE) if each[0] not in known]
        if self._service.is_draining and b"connection" not in known:
            more.append((b"connection", b"close"))
        return [*headers, *more]

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = str(getattr(scope.get("route"), "path", "none"))
        self._metrics.requests.labels(_method(scope), route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        self._lines.write(
            "request", method=_method(scope), route=route, status=status, seconds=round(seconds, 6),
            key=scope.get(KEY),
        )  # fmt: skip


def _method(scope: Scope) -> str:
    """The method, if it is one of HTTP's: a label must not hold what a caller makes up."""
    method = str(scope["method"])
    return method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"


def _place(error: BaseException) -> str:
    """Where an error was raised: ``searcher:_rank:120``; what it says may quote what was asked for."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "unknown"
    last = frames[-1]
    module = last.filename.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".py")
    return f"{module}:{last.name}:{last.lineno}"
