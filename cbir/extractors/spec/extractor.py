"""The whole of an extractor."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, TypedDict

from cbir.errors import SpecError
from cbir.extractors.entries import entry_list, mapping, only_keys, text_entry
from cbir.extractors.spec.branch import BranchSpec
from cbir.extractors.spec.fusion import FusionSpec
from cbir.extractors.spec.projection import ProjectionSpec
from cbir.extractors.spec.tiles import TileSpec
from cbir.extractors.spec.views import ORIGINAL, VIEWS, check_views
from cbir.images.settings import ReadSpec
from cbir.images.slides.spec import SlideSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbir.images.steps import JSON, Step

SPEC_FORMAT = 1
"""Raised when the same spec would begin to mean other numbers; part of the fingerprint."""

_KEYS = ("format", "name", "read", "branches", "fusion")


@dataclass(frozen=True, slots=True)
class ExtractorSpec:
    """Everything that decides the numbers in a vector. Device, batch size and threads are not in it.

    Args:
        name: the preset's, for people; not in the fingerprint.
        read: how a file becomes pixels.
        branches: at least one.
        fusion: one weight a branch.
        tta: names of ``VIEWS``, each image is seen in; the mean of the unit vectors counts.
        tiles: the parts of an image that are looked at; None for the image as a whole.
        projection: of the fused vector: whitening, fewer dimensions; None leaves it.
        slides: the tiles of a whole slide, each a part; None where slides are not read.

    Raises:
        SpecError: no branch, another number of weights than branches, an imported branch beside others, or
            views that are none, unknown or named twice.
    """

    name: str
    read: ReadSpec
    branches: tuple[BranchSpec, ...]
    fusion: FusionSpec = field(default_factory=FusionSpec)
    tta: tuple[str, ...] = (ORIGINAL,)
    tiles: TileSpec | None = None
    projection: ProjectionSpec | None = None
    slides: SlideSpec | None = None

    def __post_init__(self) -> None:
        if not self.branches:
            raise SpecError(f"Extractor {self.name!r} has no branch; give at least one.")
        if len(self.fusion.weights) != len(self.branches):
            raise SpecError(
                f"Extractor {self.name!r} has {len(self.branches)} branches "
                f"and {len(self.fusion.weights)} fusion weights; give one weight a branch."
            )
        if not self.can_embed and len(self.branches) > 1:
            raise SpecError(
                f"Extractor {self.name!r} has an imported branch among {len(self.branches)} branches; an "
                "imported one must be the only one."
            )
        check_views(self.tta)

    @property
    def can_embed(self) -> bool:
        """Whether it can turn pixels into vectors; False when its vectors were imported."""
        return not any(branch.is_imported for branch in self.branches)

    @property
    def dim(self) -> int:
        """Of the embedding."""
        return self.projection.dim if self.projection else self.fused_dim

    @property
    def fused_dim(self) -> int:
        """Of the fused vector, before a projection."""
        return sum(branch.dim for branch in self.branches)

    def plans(self, tta: Sequence[str] | None = None) -> tuple[tuple[Step, ...], ...]:
        """What is done to each image, or tile of it: the steps of each branch, view by view.

        Args:
            tta: views; None for those of the spec.
        """
        return tuple(VIEWS[view](branch.preprocess) for view in tta or self.tta for branch in self.branches)

    @property
    def fingerprint(self) -> str:
        """Sha256, in hex, of everything but the names and licences: equal means comparable vectors."""
        branches = [branch.to_dict() | {"weights": branch.weights.sha256} for branch in self.branches]
        numbers = self.to_dict() | {"branches": branches}
        del numbers["name"]
        if self.projection:
            numbers["projection"] = {"sha256": self.projection.sha256, "dim": self.projection.dim}
        canonical = json.dumps(numbers, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def to_dict(self) -> dict[str, JSON]:
        """Plain values, for JSON; ``from_dict`` takes them back exactly."""
        plain: dict[str, JSON] = {
            "format": SPEC_FORMAT,
            "name": self.name,
            "read": dict(self.read.to_dict()),
            "branches": [branch.to_dict() for branch in self.branches],
            "fusion": self.fusion.to_dict(),
        }
        # What is left out means the default: a spec that an older version wrote keeps its fingerprint.
        if self.tta != (ORIGINAL,):
            plain["tta"] = list(self.tta)
        if self.tiles:
            plain["tiles"] = self.tiles.to_dict()
        if self.projection:
            plain["projection"] = self.projection.to_dict()
        if self.slides:
            plain["slides"] = self.slides.to_dict()
        return plain

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Rebuild from ``to_dict``, also after JSON.

        Raises:
            SpecError: a newer format, or a key or value that makes no sense.
        """
        only_keys("extractor", values, (*_KEYS, "tta", "tiles", "projection", "slides"))
        if (found := values.get("format")) != SPEC_FORMAT:
            raise SpecError(f"The spec's format is {found!r}, this cbir reads {SPEC_FORMAT}; update cbir.")
        return cls(
            name=text_entry("extractor", values, "name"),
            read=ReadSpec.from_dict(mapping("read", values.get("read"))),
            branches=tuple(
                BranchSpec.from_dict(mapping("branch", each)) for each in entry_list(values, "branches")
            ),
            fusion=FusionSpec.from_dict(mapping("fusion", values.get("fusion"))),
            **optional_entries(values),
        )


class OptionalEntries(TypedDict, total=False):
    """What a spec or preset may leave out."""

    tta: tuple[str, ...]
    tiles: TileSpec
    projection: ProjectionSpec
    slides: SlideSpec


def optional_entries(values: Mapping[str, object]) -> OptionalEntries:
    """Read the entries of a spec that have a default.

    Raises:
        SpecError: one makes no sense.
    """
    found = OptionalEntries()
    if "tta" in values:
        found["tta"] = tuple(str(view) for view in entry_list(values, "tta"))
    if "tiles" in values:
        found["tiles"] = TileSpec.from_dict(mapping("tiles", values["tiles"]))
    if "projection" in values:
        found["projection"] = ProjectionSpec.from_dict(mapping("projection", values["projection"]))
    if "slides" in values:
        found["slides"] = SlideSpec.from_dict(mapping("slides", values["slides"]))
    return found
