"""What can go wrong with a PACS, told apart: what may pass, and what trying again can't mend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

from cbir.items.dicomweb.multipart import CutError, NoDicomError

Kind = Literal[
    "away", "slow", "cut", "limited", "failing", "key", "forbidden", "tls", "gone", "refused", "nonsense"
]

_PASSING = frozenset({"away", "slow", "cut", "limited", "failing"})
_BY_STATUS: Mapping[int, Kind] = {
    401: "key",
    403: "forbidden",
    404: "gone",
    408: "slow",
    410: "gone",
    429: "limited",
}
_SERVER_ERROR = 500
_LONGEST_WAIT_S = 600.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a request did not succeed; nothing in it names a patient, a study or a password.

    Args:
        kind: decides what is done about it.
        detail: a few words.
        retry_after_s: when the server asks to be tried again, or None.
    """

    kind: Kind
    detail: str
    retry_after_s: float | None = None

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed later."""
        return self.kind in _PASSING

    def line(self, base: str) -> str:
        """One line for the person: what is wrong, and what to do."""
        where = f"The PACS at {base}"
        lines: dict[Kind, str] = {
            "away": f"{where} can't be reached ({self.detail}). Start it, or check the URL; run again to go "
            "on.",
            "slow": f"{where} did not answer in time ({self.detail}). Wait, or raise dicomweb_timeout_s; run "
            "again to go on.",
            "cut": f"{where} breaks off its answers ({self.detail}). See its log; run again to go on.",
            "limited": f"{where} limits how often it may be asked ({self.detail}). Wait, or lower "
            "dicomweb_concurrency; run again to go on.",
            "failing": f"{where} fails ({self.detail}). See its log; run again to go on.",
            "key": f"{where} lets nobody in without the right credentials ({self.detail}). Set "
            "CBIR_DICOMWEB_USER and CBIR_DICOMWEB_PASSWORD, or CBIR_DICOMWEB_TOKEN.",
            "forbidden": f"{where} does not let these credentials search ({self.detail}). Ask who runs it.",
            "tls": f"{where} has a certificate that is not trusted ({self.detail}). Name its authority: "
            "CBIR_DICOMWEB_CA_FILE.",
            "gone": f"{where} knows no DICOMweb there ({self.detail}). Check the path, as in /dicom-web.",
            "refused": f"{where} refuses to be searched ({self.detail}). Check the URL and its filters.",
            "nonsense": f"What answers at {base} is no DICOMweb ({self.detail}). Check the URL.",
        }
        return lines[self.kind]


def trouble_of(error: Exception) -> Trouble | None:
    """Tell what kind of trouble an error of the client is; None for an error that is none of its.

    The errors' own texts are not used: they contain the URL.
    """
    import requests
    from requests import exceptions as of_requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return _of_status(error.response.status_code, error.response.headers.get("Retry-After"))
    kinds: tuple[tuple[type[Exception], Kind, str], ...] = (
        (CutError, "cut", "the answer ended early"),
        (NoDicomError, "nonsense", "its answer is no DICOM"),
        (of_requests.JSONDecodeError, "nonsense", "its answer is no JSON"),
        (of_requests.ChunkedEncodingError, "cut", "the answer ended early"),
        (of_requests.ContentDecodingError, "cut", "the answer can't be decoded"),
        (requests.TooManyRedirects, "refused", "it sends us to another address; give that one"),
        (of_requests.SSLError, "tls", _system_words(error) or "TLS failed"),
        (requests.ConnectTimeout, "away", "no connection in time"),
        (requests.Timeout, "slow", "no answer in time"),
        (requests.ConnectionError, "away", _system_words(error) or "the connection was lost"),
        (requests.RequestException, "refused", type(error).__name__),
    )
    return next((Trouble(kind, detail) for type_, kind, detail in kinds if isinstance(error, type_)), None)


def _of_status(status: int, retry_after: str | None) -> Trouble:
    kind = _BY_STATUS.get(status) or ("failing" if status >= _SERVER_ERROR else "refused")
    return Trouble(kind, f"status {status}", None if retry_after is None else _seconds(retry_after))


def _seconds(retry_after: str) -> float | None:
    """Of a header that gives seconds or a date; None of one that gives neither."""
    if retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after), _LONGEST_WAIT_S)
    try:
        left = parsedate_to_datetime(retry_after) - dt.datetime.now(dt.UTC)
    except (TypeError, ValueError):
        return None
    return min(max(left.total_seconds(), 0.0), _LONGEST_WAIT_S)


def _system_words(error: BaseException) -> str:
    """What the operating system or OpenSSL said, deep in an error."""
    return next((each.strerror for each in _causes(error) if isinstance(each, OSError) and each.strerror), "")


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
