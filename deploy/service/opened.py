"""The indexes that are served, by name: a newer generation takes the place of an older between requests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from cbir.errors import CbirError, StoredIndexError, TenantError
from deploy.service.looking import AttachedLooking
from deploy.service.problems import Problem, not_found
from deploy.service.uploads import Uploads
from indexer.index import Index
from indexer.manifest import MANIFEST

if TYPE_CHECKING:
    from deploy.service.keys import Caller
    from deploy.service.logs import JsonLines
    from deploy.service.metrics import Metrics
    from deploy.service.settings import ServiceSettings

_RETRY_S = 5
_Stamp = tuple[int, int, int]


class Generation:
    """One generation of an index, with what turns images into its queries; closed after its last request."""

    def __init__(self, index: Index, uploads: Uploads, settings: ServiceSettings) -> None:
        self.uploads = uploads
        self._index = index
        self._settings = settings
        self._classifiers: dict[str, AttachedLooking] = {}
        self._tenants: dict[str, Index] = {}
        self._lock = threading.Lock()
        self._n_users = 0
        self._is_retired = False
        self._takes_uploads = False

    @property
    def number(self) -> int:
        """Of the generation."""
        return self._index.generation

    @property
    def n_items(self) -> int:
        """Of all tenants."""
        return len(self._index)

    def index_for(self, caller: Caller) -> Index:
        """The index as a caller sees it: where it keeps tenants, the items of the caller's alone.

        Raises:
            TenantError: the index keeps tenants, and the caller is none; or the other way round.
        """
        if caller.tenant is None:
            if self._index.tenant_column is not None:
                raise TenantError("the caller is of no tenant")
            return self._index
        with self._lock:
            if caller.tenant not in self._tenants:
                self._tenants[caller.tenant] = self._index.for_tenant(caller.tenant)
            return self._tenants[caller.tenant]

    def classifier(self, name: str) -> AttachedLooking:
        """The classifier that is attached under a name.

        Raises:
            AttachmentError: there is none.
        """
        with self._lock:
            if name not in self._classifiers:
                self._classifiers[name] = AttachedLooking(self._index, name, self._settings)
            return self._classifiers[name]

    def warm(self) -> None:
        """Open the store, which reads the embeddings, before a caller waits for it."""
        whose = self._index
        if whose.tenant_column is None and (first := next(whose.items(), None)):
            whose.search(whose.query(first.id), 1)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep it open; only the event loop's thread begins and ends a use."""
        self._n_users += 1
        try:
            yield
        finally:
            self._n_users -= 1
            self._close_if_unused()

    def retire(self, *, with_uploads: bool) -> None:
        """No request will ask for it any more; nor for its uploads, where no other generation has them."""
        self._is_retired = True
        self._takes_uploads = with_uploads
        self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self._is_retired and not self._n_users:
            self._index.close()
            for classifier in self._classifiers.values():
                classifier.close()
            if self._takes_uploads:
                self.uploads.close()


class _Served:
    """An index by its name."""

    def __init__(self, name: str, path: Path, settings: ServiceSettings) -> None:
        self.name = name
        self._settings = settings
        self._path = path
        self._stamp = self._now()
        self._uploads: Uploads | None = None
        self.generation: Generation | None = self._open()

    def changed(self) -> tuple[bool, _Stamp | None]:
        """Whether something else is published, and what; blocks."""
        stamp = self._now()
        return stamp != self._stamp, stamp

    def renew(self, stamp: _Stamp | None) -> Generation | None:
        """Open what is published now; blocks. None where nothing is.

        Raises:
            CbirError: it can't be opened.
        """
        fresh = None
        if stamp is not None:
            fresh = self._open()
            fresh.warm()
        return fresh

    def take(self, fresh: Generation | None, stamp: _Stamp | None) -> None:
        """Let the requests that come from now on use another generation."""
        before, self.generation, self._stamp = self.generation, fresh, stamp
        if before is not None:
            before.retire(with_uploads=before.uploads is not self._uploads)

    def close(self) -> None:
        """Let go of everything."""
        self.take(None, None)
        if self._uploads is not None:
            self._uploads.close()

    def _open(self) -> Generation:
        index = Index.open(self._path, server=self._settings.servers.get(self.name))
        uploads = self._uploads
        if uploads is None or uploads.fingerprint != index.fingerprint:
            uploads = self._uploads = Uploads(index, self._settings)
        return Generation(index, uploads, self._settings)

    def _now(self) -> _Stamp | None:
        try:
            found = (self._path / MANIFEST).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


class OpenedIndexes:
    """All that are served.

    A newer generation is opened beside the one that is served; requests keep
    the one that they began with. An index that disappears is answered with 503 until it is there again.
    """

    def __init__(self, settings: ServiceSettings, metrics: Metrics, lines: JsonLines) -> None:
        """Open them.

        Raises:
            IndexMissingError: one is not there.
            IndexDamagedError: one can't be read.
        """
        self._metrics = metrics
        self._lines = lines
        self._all = {name: _Served(name, path, settings) for name, path in settings.indexes.items()}
        for served in self._all.values():
            self._note(served)

    def names(self) -> list[str]:
        """Of all, whether they are there or not."""
        return list(self._all)

    def are_there(self) -> bool:
        """Whether each can be searched."""
        return all(served.generation is not None for served in self._all.values())

    def is_there(self, name: str) -> bool:
        """Whether one can be searched."""
        return self._all[name].generation is not None

    @contextmanager
    def lease(self, name: str, caller: Caller) -> Iterator[Generation]:
        """The generation that a request is answered from; ask in the event loop's thread.

        Raises:
            Problem: the caller has no such index, or it is not there.
        """
        if name not in self._all or not caller.may_see(name):
            raise not_found("index", name)
        generation = self._all[name].generation
        if generation is None:
            detail = f"The index {name} is not there at the moment."
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, retry_s=_RETRY_S)
        with generation.in_use():
            yield generation

    async def warm(self) -> None:
        """Make each ready for its first search."""
        for served in self._all.values():
            if served.generation is not None:
                with served.generation.in_use():
                    try:
                        await asyncio.to_thread(served.generation.warm)
                    except CbirError as error:
                        self._lines.write(
                            "index", index=served.name, state="cold", error=type(error).__name__
                        )

    async def refresh(self) -> None:
        """Look for newer generations once."""
        for served in self._all.values():
            is_other, stamp = await asyncio.to_thread(served.changed)
            if not is_other:
                continue
            try:
                fresh = await asyncio.to_thread(partial(served.renew, stamp))
            except (StoredIndexError, OSError) as error:  # the next look may be luckier
                self._lines.write("index", index=served.name, state="unreadable", error=type(error).__name__)
                continue
            served.take(fresh, stamp)
            self._note(served)

    def close(self) -> None:
        """Let go of everything."""
        for served in self._all.values():
            served.close()

    def _note(self, served: _Served) -> None:
        number = None if served.generation is None else served.generation.number
        self._metrics.is_there.labels(served.name).set(number is not None)
        if number is not None and served.generation is not None:
            self._metrics.generation.labels(served.name).set(number)
            self._metrics.items.labels(served.name).set(served.generation.n_items)
        self._lines.write(
            "index", index=served.name, state="gone" if number is None else "open", generation=number
        )
