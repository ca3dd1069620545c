"""Stored values to what the scanner measured: the modality LUT, or slope and intercept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbir.images.dicom.functional import macro
from cbir.images.dicom.lut import Lut, read_lut
from cbir.images.dicom.values import items, number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Modality:
    """The modality transform of a frame, PS3.3 C.11.1.

    Args:
        lut: None where slope and intercept hold.
        slope: not 0.
        intercept: in units of the output.
    """

    lut: Lut | None = None
    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Transform stored values."""
        return self.lut(values) if self.lut is not None else values * self.slope + self.intercept


def read_modality(dataset: Dataset, frame: int, *, signed: bool) -> tuple[Modality, tuple[str, ...]]:
    """Read the transform of a frame, and notes on what had to be ignored."""
    found = items(dataset, "ModalityLUTSequence")
    if found:
        lut = read_lut(found[0], signed=signed)
        if lut is not None:
            return Modality(lut), ()
    source = macro(dataset, frame, "PixelValueTransformationSequence") or dataset
    slope, intercept = number(source, "RescaleSlope"), number(source, "RescaleIntercept")
    if slope == 0:
        return Modality(), ("rescale slope 0 ignored",)
    notes = ("modality LUT unusable: ignored",) if found else ()
    return Modality(None, 1.0 if slope is None else slope, intercept or 0.0), notes
