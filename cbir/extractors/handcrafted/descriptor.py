"""What a descriptor takes, gives, and is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from cbir.errors import SpecError, VectorError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GREY_NDIM = 2
_MAX_SIDE_PX = 16384


class Descriptor(Protocol):
    """A frozen dataclass whose fields decide numbers: they are part of the extractor's fingerprint."""

    name: ClassVar[str]
    """What a spec calls it, and its key in ``DESCRIPTORS``."""

    @property
    def dim(self) -> int:
        """How many numbers it gives."""
        ...

    @property
    def input_px(self) -> tuple[int, int] | None:
        """The (height, width) that an image is resized to before; None: any."""
        ...

    def describe(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Describe one image; may be called from many threads.

        Args:
            grey: (H, W), left as it is.

        Returns:
            (dim,), finite, not normalised.

        Raises:
            VectorError: not 8-bit grey, or smaller than the descriptor's window.
        """
        ...


def check_grey(name: str, grey: NDArray[np.uint8], *, least_px: int = 1) -> None:
    """Refuse what is not an 8-bit grey image of at least ``least_px`` rows and columns.

    Raises:
        VectorError: it is not.
    """
    if grey.ndim != _GREY_NDIM or grey.dtype != np.uint8:
        shape = " × ".join(map(str, grey.shape))
        raise VectorError(
            f"Descriptor {name} takes 8-bit grey (H × W), not {grey.dtype} of {shape}; convert it."
        )
    if min(grey.shape) < least_px:
        height, width = grey.shape
        raise VectorError(
            f"Descriptor {name}: the image has {height} × {width} px, its window needs at least "
            f"{least_px} × {least_px}; resize it first."
        )


def check_whole(name: str, setting: str, value: int, *, least: int, most: int = _MAX_SIDE_PX) -> None:
    """Refuse a setting out of its range.

    Raises:
        SpecError: it is.
    """
    if type(value) is not int or not least <= value <= most:
        raise SpecError(
            f"Descriptor {name}: {setting} is {value!r}; it must be a whole number from {least} to {most}."
        )
