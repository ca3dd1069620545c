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
        sides_px: each network sees the image at each of these; none takes what its page says.
        seed: of everything that is drawn.

    Raises:
        SpecError: no extractor, or a seed or side out of its range.
    """

    name: str
    extractors: tuple[str, ...]
    head: Named
    sides_px: tuple[int, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.extractors:
            raise SpecError("extractors is empty; name at least one preset or page.")
        for side_px in self.sides_px:
            check_least("sides_px", side_px, 1)
        if len(set(self.sides_px)) != len(self.sides_px):
            raise SpecError(f"sides_px is {list(self.sides_px)}; name each side once.")
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
            "sides_px": list(self.sides_px),
            "seed": self.seed,
            "head": self.head.to_dict(),
        }
