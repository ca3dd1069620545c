"""What is done to the fused vector: whitening, fewer dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from cbir.errors import SpecError
from cbir.extractors.entries import int_entry, only_keys, text_entry
from cbir.extractors.spec.weights import WeightsRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbir.images.steps import JSON


@dataclass(frozen=True, slots=True)
class ProjectionSpec:
    """A fitted map of the fused vector; what comes out goes to unit length.

    Args:
        name: of its file, for people; not in the fingerprint.
        sha256: of the file.
        dim: of what comes out, >= 1.

    Raises:
        SpecError: no sha256, or a dim below 1.
    """

    name: str
    sha256: str
    dim: int

    def __post_init__(self) -> None:
        WeightsRef(self.name, self.sha256)
        if type(self.dim) is not int or self.dim < 1:
            raise SpecError(f"Projection {self.name!r}: dim is {self.dim!r}; use a whole number from 1.")

    def to_dict(self) -> dict[str, JSON]:
        """Plain values, for JSON; ``from_dict`` takes them back exactly."""
        return {"name": self.name, "sha256": self.sha256, "dim": self.dim}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Rebuild from ``to_dict``.

        Raises:
            SpecError: a key or value that makes no sense.
        """
        only_keys("projection", values, ("name", "sha256", "dim"))
        name, sha256 = (text_entry("projection", values, key) for key in ("name", "sha256"))
        return cls(name, sha256, int_entry("projection", values, "dim"))
