"""What every kind of recipe is made of and checked with."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cbir.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbir.images.steps import JSON


@dataclass(frozen=True, slots=True)
class Named:
    """Something by its name, with its settings: a head, an augmentation."""

    name: str
    settings: Mapping[str, JSON] = field(default_factory=dict)

    def to_dict(self) -> dict[str, JSON]:
        """The name among the settings, as a page has it."""
        return {"name": self.name, **self.settings}


def check_least(key: str, value: int, least: int) -> None:
    """Refuse a number that is too small.

    Raises:
        SpecError: names the key, the number and the smallest.
    """
    if value < least:
        raise SpecError(f"{key} is {value}; it must be at least {least}.")


def page_sha256(page: Mapping[str, JSON]) -> str:
    """Of a recipe's page, in whatever order it was written."""
    return hashlib.sha256(json.dumps(page, sort_keys=True, allow_nan=False).encode()).hexdigest()
