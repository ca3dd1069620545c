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
        index: the gallery's, as it was named.
        extractor: its name.
        fingerprint: of its spec.
        generation: of the gallery.
        label: the column that decided what is relevant.
        queries: who asked, in words.
        split_hash: of the items file that said who asks; None without one.
        seed: of every draw.
        versions: by name: the program, Python, NumPy and whatever else decides a number.
        made: when, UTC.
    """

    title: str
    command: str
    index: str
    extractor: str
    fingerprint: str
    generation: int
    label: str
    queries: str
    split_hash: str | None
    seed: int
    versions: Mapping[str, str]
    made: str
