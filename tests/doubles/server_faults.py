"""What goes wrong with the double of a server, and when."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "reset",  # the connection is reset before the request is read
    "slow",  # the answer comes after ``delay_s``
    "limited",  # 429 with Retry-After
    "failing",  # 500
    "unavailable",  # 503
    "full",  # 500 as Qdrant says that the disk is full
    "full_507",  # 507
    "cut",  # the body of the answer ends in the middle
    "applied_then_reset",  # the request is carried out, then the connection is reset
    "swallowed",  # answered as done, and not done
    "nonsense",  # 200 with a page for people
    "moved",  # 302 to another address
]


@dataclass(slots=True)
class Fault:
    """The next ``times`` requests whose line ("PUT /collections/x/points") matches go wrong.

    Args:
        kind: how.
        request: a regular expression, searched for in "METHOD path".
        times: how often; -1 for ever.
        after: how many matching requests pass before.
        delay_s: of a slow answer.
        retry_after_s: of a 429.
    """

    kind: Kind
    request: str = ""
    times: int = 1
    after: int = 0
    delay_s: float = 0.0
    retry_after_s: int = 0


@dataclass(slots=True)
class FaultPlan:
    """The faults to come; threads may share it. ``seen`` is every request so far."""

    faults: list[Fault] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: Kind, request: str = "", **more: float) -> None:
        """Plan a fault."""
        self.faults.append(Fault(kind, request, **more))

    def of(self, request: str) -> Fault | None:
        """The fault of this request, used up by it."""
        with self._lock:
            self.seen.append(request)
            for fault in self.faults:
                if fault.times and re.search(fault.request, request):
                    if fault.after:
                        fault.after -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None

    def n_seen(self, request: str) -> int:
        """How many requests so far match."""
        with self._lock:
            return sum(bool(re.search(request, each)) for each in self.seen)

    def clear(self) -> None:
        """Nothing goes wrong any more, nothing was seen."""
        with self._lock:
            self.faults.clear()
            self.seen.clear()
