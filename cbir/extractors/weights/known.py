"""The weights that presets use: where they are, under which licence, and the sha256 where it is published."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PAGE = Path(__file__).with_name("known.toml")


@dataclass(frozen=True, slots=True)
class KnownWeights:
    """One entry of the registry.

    Args:
        name: short, for the command line.
        source: as a preset writes it.
        license: what the source says.
        trained_on: which images.
        page: where to read about it.
        sha256: None when nobody publishes it; the first pull then decides.
        sha256_from: who publishes it.
        size: in bytes.
    """

    name: str
    source: str
    license: str
    trained_on: str
    page: str
    sha256: str | None = None
    sha256_from: str | None = None
    size: int | None = None


@cache
def known_weights() -> Mapping[str, KnownWeights]:
    """Every entry of the registry, by its source."""
    entries = tomllib.loads(_PAGE.read_text(encoding="utf-8"))
    return {entry["source"]: KnownWeights(name=name, **entry) for name, entry in entries.items()}
