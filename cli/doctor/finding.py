"""One thing that the doctor looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and what to do about it.

    Args:
        name: of the thing, a word or two.
        status: ``warn`` works, but maybe not as you think; ``fail`` does not work.
        what: what was found.
        fix: what to do; empty when all is well.
    """

    name: str
    status: Status
    what: str
    fix: str = ""
