"""Trying again what may succeed later, for a bounded time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

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
        first_s: about the first pause; each is twice the one before.
        longest_s: about the longest.
        advice: what a person is told to do when it was in vain.
    """

    total_s: float
    advice: str
    first_s: float = 0.1
    longest_s: float = 10.0


def insist(act: Callable[[], Result], patience: Patience, connection: QdrantConnection, what: str) -> Result:
    """Do it; again after timeouts, lost connections, 429 and 5xx. The request must be one that may repeat.

    Raises:
        ServerTroubleError: it can't succeed, or did not in time; one line.
    """
    give_up = time.monotonic() + patience.total_s
    pause_s = patience.first_s
    while True:
        try:
            return act()
        except Exception as error:
            trouble = trouble_of(error)
            if trouble is None:
                raise
            wait_s = max(trouble.retry_after_s or 0.0, pause_s * random.uniform(0.5, 1.0))  # noqa: S311 (spreads clients)
            if not trouble.may_pass or time.monotonic() + wait_s > give_up:
                raise ServerTroubleError(trouble.line(connection, what, patience.advice), trouble) from error
        time.sleep(wait_s)
        pause_s = min(2 * pause_s, patience.longest_s)
