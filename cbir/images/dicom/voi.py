"""The values of interest: the VOI LUT or window of a frame, as a function to grey from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from cbir.images.dicom.functional import macro
from cbir.images.dicom.lut import Lut, read_lut
from cbir.images.dicom.values import items, numbers, word

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from cbir.images.settings import ReadSpec

WindowFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]


@dataclass(frozen=True, slots=True)
class Window:
    """A window, PS3.3 C.11.2.1.

    Args:
        center: in units of the modality transform's output.
        width: >= 1 for LINEAR, > 0 for the others.
        function: how values become grey.
    """

    center: float
    width: float
    function: WindowFunction

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map values to grey, 0 to 1."""
        match self.function:
            case "SIGMOID":
                with np.errstate(over="ignore"):
                    sigmoid: NDArray[np.float64] = 1 / (1 + np.exp(-4 * (values - self.center) / self.width))
                return sigmoid
            case "LINEAR_EXACT":
                return np.clip((values - self.center) / self.width + 0.5, 0, 1)
            case "LINEAR" if self.width == 1:
                return (values > self.center - 0.5).astype(np.float64)
            case "LINEAR":
                return np.clip((values - (self.center - 0.5)) / (self.width - 1) + 0.5, 0, 1)


@dataclass(frozen=True, slots=True)
class Table:
    """A VOI LUT."""

    lut: Lut

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map values to grey, 0 to 1."""
        return self.lut.scaled(values)


@dataclass(frozen=True, slots=True)
class MinMax:
    """From the lowest value to the highest; all black where they are the same."""

    low: float
    high: float

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map values to grey, 0 to 1."""
        extent = self.high - self.low
        if not extent > 0:
            return np.zeros_like(values)
        return np.clip((values - self.low) / extent, 0, 1)


Voi = Window | Table | MinMax


def read_voi(
    dataset: Dataset, frame: int, spec: ReadSpec, *, signed: bool
) -> tuple[Window | Table | None, tuple[str, ...]]:
    """Choose the VOI that the spec asks for, and say what was chosen.

    Args:
        dataset: of the file.
        frame: from 0.
        spec: ``voi`` and ``window``.
        signed: whether the modality transform's output can be negative.

    Returns:
        None where the min-max holds; and notes.
    """
    if spec.voi == "full":
        return None, ()
    source = macro(dataset, frame, "FrameVOILUTSequence") or dataset
    luts = items(dataset, "VOILUTSequence") or items(source, "VOILUTSequence")
    if luts:
        index, notes = _chosen(spec.window, len(luts), "VOI LUT")
        lut = read_lut(luts[index], signed=signed)
        return (Table(lut), notes) if lut is not None else (None, ("VOI LUT unusable: min-max taken",))
    centers, widths = numbers(source, "WindowCenter"), numbers(source, "WindowWidth")
    n_windows = min(len(centers), len(widths))
    if not n_windows:
        return None, ("no VOI: min-max taken",)
    index, notes = _chosen(spec.window, n_windows, "window")
    function = _function(source)
    width = widths[index]
    if width <= 0 or (function == "LINEAR" and width < 1):
        return None, ("window without width: min-max taken",)
    return Window(centers[index], width, function), notes


def _function(source: Dataset) -> WindowFunction:
    match word(source, "VOILUTFunction"):
        case "SIGMOID":
            return "SIGMOID"
        case "LINEAR_EXACT":
            return "LINEAR_EXACT"
        case _:
            return "LINEAR"


def _chosen(asked: int, n_there: int, what: str) -> tuple[int, tuple[str, ...]]:
    index = min(asked, n_there - 1)
    if asked > index:
        return index, (f"{what} {asked + 1} asked for, {n_there} there: the last taken",)
    return index, () if n_there == 1 else (f"{what} {index + 1} of {n_there}",)
