"""The PACS of one run, each opened once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from cbir.items.dicomweb.access import PacsAccess
from cbir.items.dicomweb.address import PacsAddress
from cbir.items.dicomweb.server import PacsServer


class PacsServers:
    """Opens what sources ask for, closes all on leaving the ``with`` block.

    Args:
        access: how they are talked to, and as whom.
    """

    def __init__(self, access: PacsAccess) -> None:
        self._access = access
        self._servers: dict[str, PacsServer] = {}
        self._stopping = threading.Event()

    @property
    def n_fetching(self) -> int:
        """How many threads can fetch at once; 0 where no source is a PACS."""
        return self._access.concurrency if self._servers else 0

    def server(self, address: PacsAddress) -> PacsServer:
        """The one at an address.

        Raises:
            SpecError: the credentials must not go there.
            MissingLibraryError: dicomweb-client is not installed.
            BackendError: it is away, lets nobody in, or is no DICOMweb.
        """
        if address.base not in self._servers:
            server = PacsServer(address.base, self._access, self._stopping)
            self._servers[address.base] = server
            server.check()
        return self._servers[address.base]

    def has_lost(self, path: str) -> bool:
        """Whether an instance is on its server no more. Of a server that no source named, nobody knows."""
        base, *_ = path.rpartition("/studies/")
        server = self._servers.get(base)
        return server is not None and not server.has(path)

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """On leaving the block, threads that still fetch, or wait to, give up soon."""
        try:
            yield
        finally:
            self._stopping.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers.values():
            server.close()
