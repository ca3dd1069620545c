"""What is remembered of a weights file: where it came from, and its sha256."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

from cbir.errors import WeightsError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_TEXTS = ("source", "name", "sha256")
_TEXTS_OR_NONE = ("license", "revision", "recorded")


@dataclass(frozen=True, slots=True)
class WeightsRecord:
    """One weights file and its source.

    Args:
        source: as a preset writes it, for example ``hub:timm/resnet50.tv2_in1k``.
        name: for people.
        sha256: of the file, 64 lower-case hex digits.
        size: in bytes.
        license: what the source says.
        revision: the hub's commit.
        recorded: when, in UTC, as ISO 8601.

    Raises:
        WeightsError: the sha256 or the size is none.
    """

    source: str
    name: str
    sha256: str
    size: int
    license: str | None = None
    revision: str | None = None
    recorded: str | None = None

    def __post_init__(self) -> None:
        if not _SHA256.fullmatch(self.sha256):
            raise WeightsError(
                f"Weights {self.source}: sha256 is {self.sha256!r}; it has 64 lower-case hex digits."
            )
        if self.size < 0:
            raise WeightsError(f"Weights {self.source}: size is {self.size}; it can't be negative.")

    def to_dict(self) -> dict[str, str | int | None]:
        """Plain values, for JSON; ``from_dict`` takes them back exactly."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Rebuild from ``to_dict``, also after JSON.

        Raises:
            WeightsError: a key or value that makes no sense.
        """
        size = values.get("size")
        texts = {key: values.get(key) for key in _TEXTS}
        maybe = {key: values.get(key) for key in _TEXTS_OR_NONE}
        sane = type(size) is int and set(values) <= {*_TEXTS, *_TEXTS_OR_NONE, "size"}
        sane = sane and all(isinstance(value, str) for value in texts.values())
        if not sane or not all(value is None or isinstance(value, str) for value in maybe.values()):
            raise WeightsError(f"An entry about weights makes no sense: {str(dict(values))[:200]}.")
        return cls(**texts, **maybe, size=size)  # type: ignore[arg-type]  # checked above
