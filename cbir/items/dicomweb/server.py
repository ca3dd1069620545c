"""One PACS: its instances found, fetched, and asked after; requests that may succeed later are repeated."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from cbir.again import try_again
from cbir.errors import BackendError, ImageError, SkipReason
from cbir.items.dicomweb import listing
from cbir.items.dicomweb.access import PacsAccess
from cbir.items.dicomweb.address import PacsAddress
from cbir.items.dicomweb.client import Answer, DicomWebClient
from cbir.items.dicomweb.trouble import Trouble, trouble_of
from cbir.items.found import Found, Refused

Result = TypeVar("Result")

_FIRST_PAUSE_S = 0.25
_CHECK_PATIENCE_S = 3.0
"""Before a run has begun, somebody waits for the answer."""


class PacsTroubleError(BackendError):
    """A request did not succeed, for good; ``trouble`` says why."""

    def __init__(self, base: str, trouble: Trouble) -> None:
        super().__init__(trouble.line(base))
        self.trouble = trouble


class PacsServer:
    """One service; any thread may use it.

    Args:
        base: its URL.
        access: how it is talked to, and as whom.
        stopping: once set, nothing more is fetched.

    Raises:
        SpecError: the credentials must not go there.
        MissingLibraryError: dicomweb-client is not installed.
    """

    def __init__(self, base: str, access: PacsAccess, stopping: threading.Event) -> None:
        access.check_for(base)
        self.base = base
        self._access = access
        self._client = DicomWebClient(base, access)
        self._turns = threading.BoundedSemaphore(access.concurrency)
        self._stopping = stopping

    def check(self) -> None:
        """Ask it something small; somebody waits for the answer.

        Raises:
            BackendError: it is away, lets nobody in, or is no DICOMweb.
        """
        self._insist(self._ask_little, _CHECK_PATIENCE_S)

    def images(self, address: PacsAddress) -> Iterator[Found | Refused]:
        """Find every instance that an address asks for, listed as it is read.

        Raises:
            BackendError: it stopped answering.
        """
        filters = listing.asked(address, listing.STUDY_FILTERS)
        where = f"{self.base}/studies/"
        for number, study in enumerate(self._pages(partial(self._client.studies, filters), listing.STUDY)):
            study_uid = listing.uid(study, listing.STUDY)
            if study_uid is None:
                yield _without_uid(where, number)
            else:
                yield from self._images_of_study(address, study_uid, listing.n_series(study))

    def fetch(self, path: str, max_bytes: int) -> bytes:
        """Fetch an instance by its URL.

        Raises:
            ImageError: ``vanished``, ``too_large``, or ``not_fetched`` where the server answers else.
            BackendError: it does not.
            CancelledError: the run is leaving.
        """
        for may_return in (True, False):
            try:
                return self._insist(
                    partial(self._fetch, path, max_bytes), self._access.patience_s, self._wait
                )
            except PacsTroubleError as error:
                trouble = error.trouble
            if trouble.kind == "gone":
                raise ImageError(SkipReason.VANISHED, "the PACS listed it, but has it no more") from None
            self._insist(self._ask_little, self._access.patience_s, self._wait)
            if not (may_return and trouble.kind == "away"):
                break
        raise ImageError(SkipReason.NOT_FETCHED, f"the PACS does not hand it out: {trouble.detail}")

    def has(self, path: str) -> bool:
        """Whether it still lists an instance; one that can't be asked after is taken to be there."""
        _, study, _, series, _, instance = path.removeprefix(f"{self.base}/").split("/")
        ask = partial(self._client.instances, study, series, {"SOPInstanceUID": instance}, limit=1, offset=0)
        try:
            answers = self._insist(ask, self._access.patience_s)
        except PacsTroubleError as error:
            return error.trouble.kind != "gone"
        return any(listing.uid(each, listing.INSTANCE) == instance for each in answers)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def _images_of_study(
        self, address: PacsAddress, study_uid: str, n_told: int | None
    ) -> Iterator[Found | Refused]:
        filters = listing.asked(address, listing.SERIES_FILTERS)
        page = partial(self._client.series, study_uid, filters)
        where = f"{self.base}/studies/{study_uid}/series/"
        for number, series in enumerate(self._pages(page, listing.SERIES, None if filters else n_told)):
            series_uid = listing.uid(series, listing.SERIES)
            if listing.contradicts(series, address):
                continue
            if series_uid is None:
                yield _without_uid(where, number)
            else:
                yield from self._images_of_series(address, study_uid, series_uid, listing.n_instances(series))

    def _images_of_series(
        self, address: PacsAddress, study_uid: str, series_uid: str, n_told: int | None
    ) -> Iterator[Found | Refused]:
        filters = listing.asked(address, listing.INSTANCE_FILTERS)
        page = partial(self._client.instances, study_uid, series_uid, filters)
        where = f"{self.base}/studies/{study_uid}/series/{series_uid}/instances/"
        for number, instance in enumerate(self._pages(page, listing.INSTANCE, None if filters else n_told)):
            instance_uid = listing.uid(instance, listing.INSTANCE)
            if instance_uid is None:
                yield _without_uid(where, number)
            else:
                yield self._found(where + instance_uid, instance)

    def _found(self, path: str, instance: Answer) -> Found:
        content = _Instance(self, path, listing.version(instance), listing.n_bytes(instance))
        return Found(path, remote=content)

    def _pages(
        self, page: Callable[..., list[Answer]], key: str, n_told: int | None = None
    ) -> Iterator[Answer]:
        def ask(limit: int, offset: int) -> list[Answer]:
            try:
                return self._insist(partial(page, limit=limit, offset=offset), self._access.patience_s)
            except PacsTroubleError as error:
                if error.trouble.kind == "gone":  # deleted since its study or series was listed
                    return []
                raise

        return listing.pages(ask, key, n_told)

    def _fetch(self, path: str, max_bytes: int) -> bytes:
        if self._stopping.is_set():
            raise CancelledError
        return self._client.fetch(path, max_bytes)

    def _ask_little(self) -> None:
        self._client.studies({}, limit=1, offset=0)

    def _wait(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise CancelledError

    def _insist(
        self, act: Callable[[], Result], patience_s: float, pause: Callable[[float], object] | None = None
    ) -> Result:
        def in_turn() -> Result:
            with self._turns:
                return act()

        return try_again(
            in_turn,
            trouble_of,
            partial(PacsTroubleError, self.base),
            total_s=patience_s,
            first_s=_FIRST_PAUSE_S,
            pause=pause,
        )


def _without_uid(where: str, number: int) -> Refused:
    return Refused(f"{where}?without-uid={number}", SkipReason.MALFORMED, "the PACS lists it without its UID")


@dataclass(frozen=True, slots=True)
class _Instance:
    """An instance's content, as ``Remote``."""

    server: PacsServer
    path: str
    version: int
    n_bytes: int

    def read(self, max_bytes: int) -> bytes:
        return self.server.fetch(self.path, max_bytes)
