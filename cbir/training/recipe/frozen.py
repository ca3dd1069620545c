"""A recipe that trains a light head alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbir.errors import SpecError
from cbir.training.recipe.entry import Named, check_least, page_sha256

if TYPE_CHECKING:
    from cbir.images.steps import JSON


@dataclass(frozen=True, slots=True)
class FrozenRecipe:
    """A training of a light head on extractors that stay as they are.

    Args:
        name: for people.
        extractors: presets' names or pages of TOML, whose vectors are joined.
        head: with its settings.
        seed: of everything that is drawn.

    Raises:
        SpecError: no extractor, or a seed out of its range.
    """

    name: str
    extractors: tuple[str, ...]
    head: Named
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.extractors:
            raise SpecError("extractors is empty; name at least one preset or page.")
        check_least("seed", self.seed, 0)

    @property
    def sha256(self) -> str:
        """Of everything said here."""
        return page_sha256(self.to_dict())

    def to_dict(self) -> dict[str, JSON]:
        """The page: plain values, which ``recipe_of`` takes back exactly."""
        return {
            "name": self.name,
            "kind": "frozen",
            "extractors": list(self.extractors),
            "seed": self.seed,
            "head": self.head.to_dict(),
        }
