"""Where a report's numbers come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provenance:
    """What it takes to make the same numbers again.

    Args:
        title: of the report.
        command: the exact command line.
        table: of the predictions, as it was named.
        sha256: of its classes, labels and posteriors.
        split: the rows that were taken; None for all.
        seed: of every draw.
        versions: by name: the program, Python, NumPy and whatever else decides a number.
        made: when, UTC.
    """

    title: str
    command: str
    table: str
    sha256: str
    split: str | None
    seed: int
    versions: Mapping[str, str]
    made: str
