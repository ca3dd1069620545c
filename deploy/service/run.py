"""The service as a process: it listens, and ends without dropping a request."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from typing import TYPE_CHECKING

import uvicorn

from deploy.service.app import create_app
from deploy.service.logs import log_the_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from deploy.service.parts import Service
    from deploy.service.settings import ServiceSettings

_GRACE_S = 0.5
"""Between telling callers to go and refusing new ones."""

_SILENT_S = 1.0
"""How long a connection may be without its first request, once no other is taken."""

_LOOK_S = 0.02
_KEEP_ALIVE_S = 20
_BACKLOG = 256


def serve(settings: ServiceSettings, *, listening: Callable[[str], None] | None = None) -> None:
    """Answer requests until SIGTERM or Ctrl-C; returns when the last one under way is answered.

    Then, for half a second, new requests are still answered, but told to open no more, and ``/readyz`` says
    503; after that no connection is taken any more. SIGHUP looks for newer generations and keys at once.

    Args:
        settings: which indexes, where, for whom.
        listening: called with the address, once requests are taken.

    Raises:
        CbirError: an index or the file of keys can't be read.
        OSError: the port is taken, or the audit can't be written.
    """
    app = create_app(settings)
    service: Service = app.state.service
    config = uvicorn.Config(
        app, host=settings.host, port=settings.port, log_config=None, access_log=False, server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S, timeout_graceful_shutdown=round(settings.drain_s) or 1,
        backlog=_BACKLOG, proxy_headers=False, ws="none", http="h11", lifespan="on",
    )  # fmt: skip
    log_the_server(service.lines)
    try:
        with _bound(settings.host, settings.port) as bound:
            host, port = bound.getsockname()[:2]
            address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            server = _Server(config, service, lambda: listening and listening(address))
            asyncio.run(server.serve([bound]))
    finally:
        service.opened.close()


def _bound(host: str, port: int) -> socket.socket:
    """A socket that is known to be of TCP: asyncio sends small answers at once on no other."""
    [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(
        host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise OSError(error.errno, error.strerror, f"{host}:{port}") from error
    return bound


class _Server(uvicorn.Server):
    """Uvicorn's server, which here does not end by the signal that has ended it."""

    def __init__(self, config: uvicorn.Config, service: Service, started: Callable[[], object]) -> None:
        super().__init__(config)
        self._service = service
        self._tell_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets)
        self._tell_started()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Heed signals while the service runs."""
        loop = asyncio.get_running_loop()
        handlers: dict[int, Callable[[], object]] = {
            signal.SIGTERM: self._drain,
            signal.SIGINT: self._drain,
            signal.SIGHUP: self._look,
        }
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        try:
            yield
        finally:
            for number in handlers:
                loop.remove_signal_handler(number)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer who has connected already, and end.

        Uvicorn closes connections that have not spoken yet, and the kernel resets those not yet accepted.
        """
        for each in sockets or []:
            await self._accept_the_rest(each)
        ends = time.monotonic() + _SILENT_S
        while time.monotonic() < ends and self._has_silent():  # noqa: ASYNC110 (uvicorn tells nobody)
            await asyncio.sleep(_LOOK_S)
        await super().shutdown(sockets)

    def _has_silent(self) -> bool:
        """Whether somebody has connected and not asked yet."""
        return any(getattr(each, "cycle", each) is None for each in self.server_state.connections)

    async def _accept_the_rest(self, listening: socket.socket) -> None:
        waiting = []
        with contextlib.suppress(BlockingIOError):
            while True:
                waiting.append(listening.accept()[0])
        for server in self.servers:
            server.close()
        for connected in waiting:
            connected.setblocking(False)
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connected)

    def _protocol(self) -> asyncio.Protocol:
        made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]  # as uvicorn does
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Not asked for: see ``capture_signals``."""
        del sig, frame
        self._drain()

    def _drain(self) -> None:
        if self._service.is_draining:  # asked twice: somebody is in a hurry
            self.should_exit = self.force_exit = True
            return
        self._service.is_draining = True
        self._service.lines.write("draining")
        asyncio.get_running_loop().call_later(_GRACE_S, setattr, self, "should_exit", True)

    def _look(self) -> None:
        self._looking = asyncio.ensure_future(self._service.opened.refresh())
