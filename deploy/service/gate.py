"""What a request must pass before any work is done for it: room, size, time, and where it comes from."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deploy.service.problems import Problem
from deploy.service.settings import is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from deploy.service.metrics import Metrics
    from deploy.service.settings import ServiceSettings

ALWAYS_OPEN = frozenset({"/livez", "/readyz", "/metrics"})
"""Answered however much there is to do."""

_RETRY_S = 1
_LINGER_S = 2.0


class Gate:
    """ASGI middleware: a bounded queue (429), a body counted as it comes (413) and in time (408).

    Without keys it lets in what was asked of this machine by its own name, and no page of another site: a
    browser on this machine would ask for any page that it shows (403).

    Args:
        app: what lies behind.
        settings: the bounds.
        metrics: where those refused are counted.
    """

    def __init__(self, app: ASGIApp, settings: ServiceSettings, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._n_admitted = 0
        self._most = settings.n_workers + settings.queue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it through."""
        if scope["type"] != "http" or scope["path"] in ALWAYS_OPEN:
            await self._app(scope, receive, send)
            return
        if refused := self._refused(scope):
            why, problem = refused
            self._metrics.refused.labels(why).inc()
            exchange = _Exchange(scope, receive, send, self._settings)
            await problem.response()(scope, exchange.receive, exchange.send)
            return
        self._n_admitted += 1
        self._metrics.admitted.set(self._n_admitted)
        try:
            exchange = _Exchange(scope, receive, send, self._settings)
            await self._app(scope, exchange.receive, exchange.send)
        finally:
            self._n_admitted -= 1
            self._metrics.admitted.set(self._n_admitted)

    def _refused(self, scope: Scope) -> tuple[str, Problem] | None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if self._settings.keys is None and (detail := _stranger(headers)):
            return "stranger", Problem(HTTPStatus.FORBIDDEN, detail)
        if self._n_admitted >= self._most:
            detail = f"{self._n_admitted} requests are under way already; ask again in {_RETRY_S} s."
            return "busy", Problem(HTTPStatus.TOO_MANY_REQUESTS, detail, retry_s=_RETRY_S)
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._settings.body_bytes:
            return "large", _too_large(self._settings)
        return None


class _Exchange:
    """Counts a body, and its seconds; an answer that comes before its end outlives what is still sent.

    A connection that is closed while the caller sends takes the answer with it. So what comes is thrown away
    for a while, before the answer ends and the connection with it.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, settings: ServiceSettings) -> None:
        self._receive = receive
        self._send = send
        self._settings = settings
        self._n_bytes = 0
        self._ends = asyncio.get_running_loop().time() + settings.body_s
        names = {name for name, value in scope["headers"] if value != b"0"}
        self._is_whole = not names & {b"content-length", b"transfer-encoding"}

    async def receive(self) -> Message:
        """The next piece.

        Raises:
            Problem: too much, or too slow.
        """
        if self._is_whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._ends):
                message = await self._next()
        except TimeoutError:
            detail = f"The body did not come within {self._settings.body_s:g} s."
            raise Problem(HTTPStatus.REQUEST_TIMEOUT, detail) from None
        self._n_bytes += len(message.get("body", b""))
        if self._n_bytes > self._settings.body_bytes:
            raise _too_large(self._settings)
        return message

    async def send(self, message: Message) -> None:
        """Send a piece of the answer."""
        if self._is_whole:
            await self._send(message)
        elif message["type"] == "http.response.start":
            headers = [*message["headers"], (b"connection", b"close")]
            await self._send({**message, "headers": headers})
        elif message.get("more_body", False):
            await self._send(message)
        else:
            await self._send({**message, "more_body": True})
            await self._throw_away()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _throw_away(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                while not self._is_whole:
                    await self._next()

    async def _next(self) -> Message:
        message = await self._receive()
        self._is_whole = not message.get("more_body", False)
        return message


def _too_large(settings: ServiceSettings) -> Problem:
    detail = f"The body has more than the {settings.body_mb} MiB that this service takes."
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)


def _stranger(headers: dict[str, str]) -> str:
    """Why a request comes from elsewhere; empty where it does not."""
    host = headers.get("host", "")
    if not is_loopback(urlsplit(f"//{host}").hostname or ""):
        return "This service is of its own machine alone: ask it as 127.0.0.1 or localhost, or set keys."
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return "This service answers no pages of other sites."
    return ""
