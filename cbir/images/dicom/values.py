"""Values of a data set that may be damaged: of the right kind, or None."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def number(dataset: Dataset, keyword: str) -> float | None:
    """The first value as a finite number."""
    values = numbers(dataset, keyword)
    return values[0] if values else None


def integer(dataset: Dataset, keyword: str) -> int | None:
    """The first value as a whole number."""
    value = number(dataset, keyword)
    return int(value) if value is not None and value == int(value) else None


def numbers(dataset: Dataset, keyword: str) -> list[float]:
    """All values as finite numbers; empty when one of them is none."""
    value = _value(dataset, keyword)
    try:
        found = [float(each) for each in _several(value)]  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError, OverflowError):
        return []
    return found if all(math.isfinite(each) for each in found) else []


def words(dataset: Dataset, keyword: str) -> list[str]:
    """All values as upper-case text: to be looked up in a closed vocabulary, never to be passed on."""
    return [each.strip(" \0").upper() for each in _several(_value(dataset, keyword)) if isinstance(each, str)]


def word(dataset: Dataset, keyword: str) -> str | None:
    """The first value as upper-case text, likewise."""
    found = words(dataset, keyword)
    return found[0] or None if found else None


def identifier(dataset: Dataset, keyword: str) -> str | None:
    """The whole value as text, exactly: to be hashed, or compared with registered UIDs, never passed on."""
    value = _value(dataset, keyword)
    return (
        "\\".join(str(each) for each in _several(value)).strip(" \0") or None if value is not None else None
    )


def blob(dataset: Dataset, keyword: str) -> bytes | None:
    """The value as bytes."""
    value = _value(dataset, keyword)
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else None


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence."""
    from pydicom.sequence import Sequence

    value = _value(dataset, keyword)
    return list(value) if isinstance(value, Sequence) else []


def _value(dataset: Dataset, keyword: str) -> object:
    try:
        return dataset.get(keyword)  # converts the raw bytes, which fails in as many ways as there are values
    except RecursionError:
        raise
    except Exception:  # noqa: BLE001
        return None


def _several(value: object) -> list[object]:
    if value is None or isinstance(value, bytes):
        return []
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return [value]
    return list(value)
