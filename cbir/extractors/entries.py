"""Typed entries out of JSON and TOML, with errors that name what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from cbir.errors import SpecError
from cbir.images.steps import Step, step_from_dict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def only_keys(what: str, values: Mapping[str, object], known: Sequence[str]) -> None:
    """Refuse a key that is not known.

    Raises:
        SpecError: names the key and the known ones.
    """
    if unknown := sorted(set(values) - set(known)):
        raise SpecError(f"{what}: unknown key {unknown[0]!r}; it knows {', '.join(known)}.")


def text_entry(what: str, values: Mapping[str, object], key: str) -> str:
    """Give a text.

    Raises:
        SpecError: missing, or not text.
    """
    value = values.get(key)
    if not isinstance(value, str):
        raise SpecError(f"{what}: {key} is {value!r}; it must be text.")
    return value


def int_entry(what: str, values: Mapping[str, object], key: str) -> int:
    """Give a whole number.

    Raises:
        SpecError: missing, or not a whole number.
    """
    value = values.get(key)
    if type(value) is not int:
        raise SpecError(f"{what}: {key} is {value!r}; it must be a whole number.")
    return value


def number_entry(what: str, value: object) -> float:
    """Give a number as a float.

    Raises:
        SpecError: not a number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError(f"{what}: {value!r} must be a number.")
    return float(value)


def entry_list(values: Mapping[str, object], key: str) -> list[object]:
    """Give a list.

    Raises:
        SpecError: missing, or not a list.
    """
    value = values.get(key)
    if not isinstance(value, list):
        raise SpecError(f"{key} is {value!r}; it must be a list.")
    return cast("list[object]", value)


def mapping(what: str, value: object) -> Mapping[str, object]:
    """Give a table.

    Raises:
        SpecError: missing, or not a table with text keys.
    """
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise SpecError(f"{what} is {value!r}; it must be a table.")
    return cast("dict[str, object]", value)


def steps_entry(values: Mapping[str, object]) -> tuple[Step, ...]:
    """Read the steps under ``preprocess``.

    Raises:
        SpecError: not a list of steps.
    """
    return tuple(step_from_dict(mapping("step", each)) for each in entry_list(values, "preprocess"))
