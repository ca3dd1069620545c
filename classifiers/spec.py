"""Everything that decides the numbers of a classifier's answer, as one frozen value."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, cast

from cbir.errors import SpecError
from cbir.extractors.backbone_name import BackboneName
from cbir.extractors.entries import entry_list, mapping, number_entry, only_keys, steps_entry, text_entry
from cbir.extractors.spec import BranchSpec, WeightsRef
from cbir.images.settings import ReadSpec
from cbir.images.steps import step_to_dict
from cbir.nearest import nearest
from cbir.training.recipe.entry import Named
from cbir.training.settings import read_settings
from classifiers.networks import NETWORKS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbir.images.steps import JSON, Step

CLASSIFIER_FORMAT = 1
"""Raised when the same spec would begin to mean other numbers; part of the fingerprint."""

_LEAST_CLASSES = 2
_KEYS = (
    *("format", "name", "network", "backbones", "weights", "read", "preprocess", "descriptors", "classes"),
    *("is_ordinal", "temperature"),
)


@dataclass(frozen=True, slots=True)
class ClassifierSpec:
    """Everything that decides a posterior. Device, batch size and threads are not in it.

    Args:
        name: for people; not in the fingerprint.
        network: of ``NETWORKS``, with its settings.
        backbones: as ``BackboneName`` writes them, without a head of theirs; at least one. All see the same
            pixels.
        weights: the classifier's own file, trained.
        read: how a file becomes pixels.
        preprocess: what the pixels go through; has a ``resize`` and ends with ``normalise``.
        descriptors: handcrafted branches, described beside; usually none.
        classes: at least two, in the order of the posteriors; in their own order where they have one.
        is_ordinal: whether they have one: grades.
        temperature: what the logits are divided by before their softmax, > 0; 1 until it is calibrated.

    Raises:
        SpecError: a value that is none of these.
    """

    name: str
    network: Named
    backbones: tuple[str, ...]
    weights: WeightsRef
    read: ReadSpec
    preprocess: tuple[Step, ...]
    classes: tuple[str, ...]
    descriptors: tuple[BranchSpec, ...] = ()
    is_ordinal: bool = False
    temperature: float = 1.0

    def __post_init__(self) -> None:
        check_network(self.network)
        if not self.backbones:
            raise SpecError(f"Classifier {self.name!r} has no backbone; give at least one.")
        for backbone in self.backbones:
            if BackboneName.parse(backbone).head:
                raise SpecError(f"Classifier {self.name!r}: {backbone} has a head of its own; leave it out.")
            replace(self.branch, backbone=backbone)
        for descriptor in self.descriptors:
            if not descriptor.is_handcrafted:
                raise SpecError(
                    f"Classifier {self.name!r}: {descriptor.backbone} is among the descriptors; name "
                    "networks under backbones."
                )
        check_classes(self.classes)
        if not 0 < self.temperature < math.inf:
            raise SpecError(
                f"Classifier {self.name!r}: temperature is {self.temperature}; it must be positive."
            )

    @property
    def branch(self) -> BranchSpec:
        """The pixels that the networks see, as an extractor's branch says it."""
        return BranchSpec(self.backbones[0], self.weights, self.preprocess, "model", len(self.classes))

    @property
    def n_described(self) -> int:
        """How many numbers the descriptors give together."""
        return sum(descriptor.dim for descriptor in self.descriptors)

    def plans(self) -> tuple[tuple[Step, ...], ...]:
        """What is done to each image: the networks' steps, then those of each descriptor."""
        return (self.preprocess, *(descriptor.preprocess for descriptor in self.descriptors))

    @property
    def fingerprint(self) -> str:
        """Sha256, in hex, of everything but the names and licences: equal means equal posteriors."""
        numbers = self.to_dict() | {
            "weights": self.weights.sha256,
            "descriptors": [each.to_dict() | {"weights": each.weights.sha256} for each in self.descriptors],
        }
        del numbers["name"]
        canonical = json.dumps(numbers, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def to_dict(self) -> dict[str, JSON]:
        """Plain values, for JSON; ``from_dict`` takes them back exactly."""
        return {
            "format": CLASSIFIER_FORMAT,
            "name": self.name,
            "network": self.network.to_dict(),
            "backbones": list(self.backbones),
            "weights": self.weights.to_dict(),
            "read": dict(self.read.to_dict()),
            "preprocess": [step_to_dict(step) for step in self.preprocess],
            "descriptors": [each.to_dict() for each in self.descriptors],
            "classes": list(self.classes),
            "is_ordinal": self.is_ordinal,
            "temperature": self.temperature,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Rebuild from ``to_dict``, also after JSON.

        Raises:
            SpecError: another format, or a key or value that makes no sense.
        """
        only_keys("classifier", values, _KEYS)
        if (found := values.get("format")) != CLASSIFIER_FORMAT:
            raise SpecError(
                f"The classifier's format is {found!r}, this cbir reads {CLASSIFIER_FORMAT}; update cbir."
            )
        if not isinstance(is_ordinal := values.get("is_ordinal"), bool):
            raise SpecError(f"classifier: is_ordinal is {is_ordinal!r}; it must be true or false.")
        branches = [mapping("descriptor", each) for each in entry_list(values, "descriptors")]
        return cls(
            name=text_entry("classifier", values, "name"),
            network=named_entry(mapping("network", values.get("network"))),
            backbones=_texts(values, "backbones"),
            weights=WeightsRef.from_dict(mapping("weights", values.get("weights"))),
            read=ReadSpec.from_dict(mapping("read", values.get("read"))),
            preprocess=steps_entry(values),
            descriptors=tuple(BranchSpec.from_dict(each) for each in branches),
            classes=_texts(values, "classes"),
            is_ordinal=is_ordinal,
            temperature=number_entry("classifier: temperature", values.get("temperature")),
        )


def plain_backbone(backbone: str) -> str:
    """A backbone's name without the head and the place in a file that belong to an extractor's weights."""
    return str(replace(BackboneName.parse(backbone), weights_prefix="", head=""))


def check_classes(classes: Sequence[str]) -> None:
    """Refuse what a classifier can't tell apart.

    Raises:
        SpecError: fewer than two classes, an empty name, or one twice.
    """
    if len(classes) < _LEAST_CLASSES:
        raise SpecError(f"A classifier tells at least two classes apart; there is {list(classes)}.")
    if "" in classes or len(set(classes)) < len(classes):
        raise SpecError(f"The classes are {list(classes)}; each needs a name of its own.")


def check_network(network: Named) -> None:
    """Refuse a network that there is not, or settings that it does not have.

    Raises:
        SpecError: it is one.
    """
    if network.name not in NETWORKS:
        raise SpecError(f"network: unknown network {network.name!r}; {nearest(network.name, NETWORKS)}")
    read_settings("network", network.settings, NETWORKS[network.name])


def named_entry(values: Mapping[str, object]) -> Named:
    """Read what ``Named.to_dict`` wrote.

    Raises:
        SpecError: it has no name.
    """
    settings = {key: value for key, value in values.items() if key != "name"}
    return Named(text_entry("network", values, "name"), cast("dict[str, JSON]", settings))


def _texts(values: Mapping[str, object], key: str) -> tuple[str, ...]:
    found = entry_list(values, key)
    if not all(isinstance(each, str) for each in found):
        raise SpecError(f"{key} is {found!r}; it must be a list of texts.")
    return tuple(cast("list[str]", found))
