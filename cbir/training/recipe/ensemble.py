"""A recipe of recipes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from cbir.errors import SpecError
from cbir.training.recipe.entry import check_least, page_sha256

if TYPE_CHECKING:
    from cbir.images.steps import JSON

MemberFusion: TypeAlias = Literal["learned", "l2", "raw"]
"""``learned``: unit vectors, weighted by what validation says; ``l2``: unit; ``raw``: as they come."""


@dataclass(frozen=True, slots=True)
class Member:
    """One training of an ensemble: a recipe, and where it starts."""

    recipe: str
    extractor: str


@dataclass(frozen=True, slots=True)
class EnsembleRecipe:
    """Several trainings, and how their vectors are joined.

    Args:
        name: for people.
        members: at least two.
        fusion: of their vectors.
        seed: of everything that is drawn.

    Raises:
        SpecError: fewer than two members, or no such fusion.
    """

    name: str
    members: tuple[Member, ...]
    fusion: MemberFusion = "learned"
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.members) < 2:  # noqa: PLR2004 - one has nothing to be joined with
            raise SpecError(f"member: {len(self.members)} named; an ensemble has at least 2.")
        if self.fusion not in get_args(MemberFusion):
            raise SpecError(f"fusion is {self.fusion!r}; use one of {', '.join(get_args(MemberFusion))}.")
        check_least("seed", self.seed, 0)

    @property
    def sha256(self) -> str:
        """Of everything said here."""
        return page_sha256(self.to_dict())

    def to_dict(self) -> dict[str, JSON]:
        """The page: plain values, which ``recipe_of`` takes back exactly."""
        return {
            "name": self.name,
            "kind": "ensemble",
            "fusion": self.fusion,
            "seed": self.seed,
            "member": [{"recipe": each.recipe, "extractor": each.extractor} for each in self.members],
        }
