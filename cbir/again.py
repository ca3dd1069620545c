"""Trying again what may succeed later, for a bounded time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

Result = TypeVar("Result")


class PassingTrouble(Protocol):
    """Why an attempt did not succeed."""

    @property
    def may_pass(self) -> bool:
        """Whether the same attempt may succeed later."""
        ...

    @property
    def retry_after_s(self) -> float | None:
        """When the other side asks to be tried again."""
        ...


Told = TypeVar("Told", bound=PassingTrouble)


def try_again(
    act: Callable[[], Result],
    trouble_of: Callable[[Exception], Told | None],
    give_up: Callable[[Told], Exception],
    *,
    total_s: float,
    first_s: float = 0.1,
    longest_s: float = 10.0,
    pause: Callable[[float], object] | None = None,
) -> Result:
    """Do it; again after what may pass, the pauses doubling. It must be something that may be done twice.

    Args:
        act: what is to be done.
        trouble_of: tells what an error means; None passes it on.
        give_up: makes the error that is raised at last.
        total_s: no attempt begins later than this after the first.
        first_s: about the first pause.
        longest_s: about the longest, unless the other side asks for more.
        pause: waits; None sleeps.
    """
    last_s = time.monotonic() + total_s
    pause_s = first_s
    while True:
        try:
            return act()
        except Exception as error:
            trouble = trouble_of(error)
            if trouble is None:
                raise
            wait_s = max(trouble.retry_after_s or 0.0, pause_s * random.uniform(0.5, 1.0))  # noqa: S311 (spreads clients)
            if not trouble.may_pass or time.monotonic() + wait_s > last_s:
                raise give_up(trouble) from error
        (pause or time.sleep)(wait_s)
        pause_s = min(2 * pause_s, longest_s)
