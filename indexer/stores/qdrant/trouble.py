"""What can go wrong with a server, told apart: what may pass, and what trying again can't mend."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from indexer.stores.qdrant.connection import QdrantConnection

Kind = Literal["away", "slow", "limited", "failing", "full", "key", "forbidden", "tls", "refused", "nonsense"]

_PASSING = frozenset({"away", "slow", "limited", "failing"})
_FULL = ("no space left", "not enough disk space", "disk is full", "insufficient storage")
_BY_STATUS: Mapping[int, Kind] = {401: "key", 403: "forbidden", 408: "slow", 429: "limited", 507: "full"}
_BY_GRPC: Mapping[str, Kind] = {
    "UNAVAILABLE": "away",
    "DEADLINE_EXCEEDED": "slow",
    "RESOURCE_EXHAUSTED": "limited",
    "UNAUTHENTICATED": "key",
    "PERMISSION_DENIED": "forbidden",
    "INTERNAL": "failing",
    "ABORTED": "failing",
    "UNKNOWN": "failing",
}
_SERVER_ERROR = 500
_MAX_DETAIL = 160


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a request did not succeed.

    Args:
        kind: decides what is done about it.
        detail: the server's or the system's own words, cut short.
        status: of HTTP, or 0.
        retry_after_s: when the server asks to be tried again, or None.
    """

    kind: Kind
    detail: str
    status: int = 0
    retry_after_s: float | None = None

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed later."""
        return self.kind in _PASSING

    def line(self, connection: QdrantConnection, what: str, advice: str) -> str:
        """One line for the person: what is wrong, both values, what to do.

        Args:
            connection: that was used.
            what: was tried, for example "count points".
            advice: a sentence on how to go on without it, or after it.
        """
        where = f"Qdrant at {connection.url}"
        lines: dict[Kind, str] = {
            "away": f"{where} can't be reached ({self.detail}). Start it, or check the URL. {advice}",
            "slow": (
                f"{where} did not answer within {connection.timeout_s} s ({what}). It may be overloaded: "
                f"wait, or raise qdrant_timeout_s. {advice}"
            ),
            "limited": f"{where} limits how often it may be asked ({self.detail}). Wait. {advice}",
            "failing": f"{where} fails to {what}: {self.detail}. See its log. {advice}",
            "full": f"{where} has no room left ({self.detail}). Make room on its disk. {advice}",
            "key": f"{where} does not accept the API key. Set CBIR_QDRANT_API_KEY to the right one.",
            "forbidden": (
                f"{where} does not let this API key {what} ({self.detail}). Set CBIR_QDRANT_API_KEY to one "
                "that may; a read-only key can search."
            ),
            "tls": (
                f"{where} has a certificate that is not trusted ({self.detail}). Name its authority: "
                "qdrant_ca_file."
            ),
            "refused": f"{where} refuses to {what}: {self.detail}.",
            "nonsense": f"What answers at {connection.url} is no Qdrant ({self.detail}). Check the URL.",
        }
        return lines[self.kind]


def trouble_of(error: Exception) -> Trouble | None:
    """Tell what kind of trouble an error of the client is; None for an error that is none of its."""
    import httpx
    from pydantic import ValidationError
    from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
    from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

    if isinstance(error, ResourceExhaustedResponse):
        return Trouble("limited", _short(str(error)), 429, float(error.retry_after_s))
    if isinstance(error, UnexpectedResponse):
        return _of_status(error.status_code or 0, error.content)
    cause = error.source if isinstance(error, ResponseHandlingException) else error
    if isinstance(cause, ValidationError | json.JSONDecodeError | httpx.DecodingError):
        return Trouble("nonsense", "its answer makes no sense")
    return _of_transport(cause) or _of_grpc(error)


def _of_transport(cause: Exception) -> Trouble | None:
    import httpx

    if isinstance(cause, httpx.ConnectTimeout):
        return Trouble("away", "no connection in time")
    if isinstance(cause, httpx.TimeoutException):
        return Trouble("slow", "no answer in time")
    if isinstance(cause, httpx.TransportError):
        text = str(cause) or type(cause).__name__
        return Trouble("tls" if "CERTIFICATE" in text.upper() else "away", _short(text))
    return None


def _of_status(status: int, content: bytes) -> Trouble:
    detail = _words(content) or f"status {status}"
    if any(sign in detail.lower() for sign in _FULL):
        return Trouble("full", detail, status)
    found = _BY_STATUS.get(status) or ("failing" if status >= _SERVER_ERROR else "refused")
    return Trouble(found, detail, status)


def _of_grpc(error: Exception) -> Trouble | None:
    import grpc

    if not isinstance(error, grpc.RpcError) or not hasattr(error, "code"):
        return None
    name, detail = str(error.code().name), _short(str(error.details() or error.code().name))
    if any(sign in detail.lower() for sign in _FULL):
        return Trouble("full", detail)
    return Trouble(_BY_GRPC.get(name, "refused"), detail)


def _words(content: bytes) -> str:
    """What the server says is wrong, out of the document that it says it in."""
    try:
        document = json.loads(content)
    except ValueError:
        return _short(content.decode("utf-8", "replace"))
    status = document.get("status") if isinstance(document, dict) else document
    said = status.get("error") if isinstance(status, dict) else status
    return _short(said if isinstance(said, str) else "")


def _short(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= _MAX_DETAIL else line[: _MAX_DETAIL - 1] + "…"
