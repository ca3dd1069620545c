"""Trying a request to a server again, for a bounded time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from cbir.again import try_again
from cbir.errors import BackendError
from indexer.stores.qdrant.trouble import Trouble, trouble_of

if TYPE_CHECKING:
    from indexer.stores.qdrant.connection import QdrantConnection

Result = TypeVar("Result")


class ServerTroubleError(BackendError):
    """A request to a server did not succeed, for good; ``trouble`` says why."""

    def __init__(self, message: str, trouble: Trouble) -> None:
        super().__init__(message)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request is tried again.

    Args:
        total_s: no attempt begins later than this after the first.
        advice: what a person is told to do when it was in vain.
    """

    total_s: float
    advice: str


def insist(act: Callable[[], Result], patience: Patience, connection: QdrantConnection, what: str) -> Result:
    """Do it; again after timeouts, lost connections, 429 and 5xx. The request must be one that may repeat.

    Raises:
        ServerTroubleError: it can't succeed, or did not in time; one line.
    """

    def give_up(trouble: Trouble) -> ServerTroubleError:
        return ServerTroubleError(trouble.line(connection, what, patience.advice), trouble)

    return try_again(act, trouble_of, give_up, total_s=patience.total_s)
