"""What is kept of each image: for training a little larger than the network's input, else exactly that."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import SpecError
from cbir.images.steps import Normalise, Resize, Step, step_to_dict

if TYPE_CHECKING:
    from cbir.extractors.spec import BranchSpec, ExtractorSpec
    from cbir.images.settings import ReadSpec

_FORMAT = 1
_UNIT = Normalise((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
_DECIDE_NUMBERS = ("imagecodecs", "numpy", "opencv-python-headless", "pillow", "pydicom", "simplejpeg")


@dataclass(frozen=True, slots=True)
class CachedPlan:
    """Steps, and how their result is kept.

    Args:
        steps: as a pool takes them: a ``resize``, and a ``normalise`` or ``grey`` at the end.
        is_8_bit: values from 0 to 1 are kept as whole numbers from 0 to 255.
    """

    steps: tuple[Step, ...]
    is_8_bit: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        resize = _last_resize(self.steps)
        return (3 if isinstance(self.steps[-1], Normalise) else 1), resize.height_px, resize.width_px

    @property
    def dtype(self) -> np.dtype[np.uint8] | np.dtype[np.float32]:
        """Of what is kept."""
        return np.dtype(np.uint8) if self.is_8_bit else np.dtype(np.float32)

    def key(self, read: ReadSpec) -> str:
        """Sha256, in hex, of everything that decides the numbers but the file: the libraries too."""
        plain = {
            "format": _FORMAT,
            "read": read.to_dict(),
            "steps": [step_to_dict(step) for step in self.steps],
            "dtype": self.dtype.str,
            "libraries": _libraries(),
        }
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def network_plans(spec: ExtractorSpec, branch: BranchSpec, cache_px: int) -> tuple[CachedPlan, CachedPlan]:
    """What a training of one network keeps of each image.

    Args:
        spec: of the extractor that it starts from.
        branch: its network, at the side that is trained.
        cache_px: the longer side of what is augmented: 256 where the network takes 224.

    Returns:
        For the augmentation: 8 bits, not yet normalised, a little larger. For validation: what the network
        gets when an index is built, to the last bit.

    Raises:
        SpecError: the extractor looks at parts of an image, the branch is a descriptor, or the network takes
            larger images.
    """
    if spec.tiles or spec.slides:
        parts = "tiles" if spec.tiles else "the tiles of whole slides"
        raise SpecError(
            f"Extractor {spec.name!r} looks at {parts}; a network is trained on whole images. Cut the tiles "
            "out as files of their own, or take an extractor without them."
        )
    return branch_plans(branch, cache_px)


def branch_plans(branch: BranchSpec, cache_px: int) -> tuple[CachedPlan, CachedPlan]:
    """As ``network_plans``, of a network that is known to see whole images.

    Raises:
        SpecError: the branch is a descriptor, or the network takes larger images.
    """
    return CachedPlan(_enlarged(branch, cache_px), is_8_bit=True), CachedPlan(branch.preprocess)


def _enlarged(branch: BranchSpec, cache_px: int) -> tuple[Step, ...]:
    *steps, last = branch.preprocess
    if not isinstance(last, Normalise):
        raise SpecError(f"Branch {branch.backbone} is a descriptor, which is not trained. Name a network.")
    resize = _last_resize(steps)
    longer = max(resize.height_px, resize.width_px)
    if cache_px < longer:
        raise SpecError(
            f"cache_px is {cache_px}, and {branch.backbone} takes {longer} px: it would see enlarged images. "
            f"Set cache_px to {longer} or more."
        )
    larger = dataclasses.replace(
        resize,
        height_px=round(resize.height_px * cache_px / longer),
        width_px=round(resize.width_px * cache_px / longer),
    )
    return (*(larger if step is resize else step for step in steps), _UNIT)


def _last_resize(steps: Sequence[Step]) -> Resize:
    return [step for step in steps if isinstance(step, Resize)][-1]


@cache
def _libraries() -> dict[str, str]:
    """Another version may decode or resize a little differently."""
    found = {}
    for name in _DECIDE_NUMBERS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # under another name, from another distributor
            found[name] = "unknown"
    return found
