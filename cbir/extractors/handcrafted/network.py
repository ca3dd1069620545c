"""Descriptors in the place of a network."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import SpecError
from cbir.extractors.handcrafted import DESCRIPTORS, Descriptor
from cbir.extractors.spec import WeightsRef

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.extractors.spec import BranchSpec


class DescriptorNetwork:
    """Runs a descriptor on each image of a batch; implements :class:`cbir.runtime.network.Network`."""

    def __init__(self, descriptor: Descriptor) -> None:
        self._descriptor = descriptor

    @property
    def dim(self) -> int:
        """Of the vectors."""
        return self._descriptor.dim

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Describe.

        Args:
            batch: (B, 1, H, W), whole numbers from 0 to 255, as the step ``grey`` leaves them.
        """
        return np.stack([self._descriptor.describe(image[0].astype(np.uint8)) for image in batch])


def descriptor_of(name: str) -> Descriptor:
    """A descriptor by its name, with its default settings.

    Raises:
        SpecError: there is none of this name.
    """
    if name not in DESCRIPTORS:
        raise SpecError(f"Descriptor {name!r} is unknown; use one of {', '.join(DESCRIPTORS)}.")
    return DESCRIPTORS[name]()


def descriptor_ref(name: str) -> WeightsRef:
    """What a spec keeps of a descriptor in the place of weights: the sha256 of its name and settings.

    Raises:
        SpecError: there is none of this name.
    """
    settings = dataclasses.asdict(descriptor_of(name))  # type: ignore[call-overload]  # a Protocol can't say it
    canonical = json.dumps({"name": name, **settings}, sort_keys=True, separators=(",", ":"))
    return WeightsRef(name, hashlib.sha256(canonical.encode()).hexdigest())


def descriptor_network(branch: BranchSpec) -> DescriptorNetwork:
    """The descriptor that a branch names.

    Raises:
        SpecError: no such descriptor, or its settings are not those that the branch was made with.
    """
    found = descriptor_ref(branch.model)
    if found.sha256 != branch.weights.sha256:
        raise SpecError(
            f"Branch {branch.backbone} was made with the settings {branch.weights.sha256[:8]}…, this cbir "
            f"has {found.sha256[:8]}…; build the index again."
        )
    return DescriptorNetwork(descriptor_of(branch.model))
