"""Settings of a loss, an augmentation or a head: what there is, what it may be, and what it is unsaid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from cbir.errors import SpecError
from cbir.extractors.entries import number_entry
from cbir.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

Value: TypeAlias = float | str
"""What a setting holds."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a range.

    Args:
        default: where the page says nothing.
        least: the smallest that makes sense.
        most: the greatest.
    """

    default: float
    least: float = 0.0
    most: float = math.inf

    def read(self, what: str, value: object) -> float:
        """Check a value.

        Raises:
            SpecError: no number, or out of the range.
        """
        number = number_entry(what, value)
        if not self.least <= number <= self.most:
            raise SpecError(f"{what} is {number:g}; it must be from {self.least:g} to {self.most:g}.")
        return number


@dataclass(frozen=True, slots=True)
class Choice:
    """One word of a few; the first where the page says nothing."""

    options: tuple[str, ...]

    @property
    def default(self) -> str:
        """The first."""
        return self.options[0]

    def read(self, what: str, value: object) -> str:
        """Check a value.

        Raises:
            SpecError: none of the options.
        """
        if value not in self.options:
            raise SpecError(f"{what} is {value!r}; {nearest(str(value), self.options)}")
        return str(value)


Setting: TypeAlias = Number | Choice


def read_settings(what: str, values: Mapping[str, object], known: Mapping[str, Setting]) -> dict[str, Value]:
    """Check a table of settings, and fill in what it does not say.

    Args:
        what: names the table in errors.
        values: as the page says them.
        known: every setting by its name.

    Raises:
        SpecError: an unknown setting, or a value that it can't have.
    """
    for key in values:
        if key not in known:
            hint = nearest(key, known) if known else "it has none."
            raise SpecError(f"{what}: unknown setting {key!r} = {values[key]!r}; {hint}")
    return {
        key: setting.read(f"{what}.{key}", values.get(key, setting.default)) for key, setting in known.items()
    }
