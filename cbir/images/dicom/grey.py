"""Stored samples to grey: modality, then VOI, then MONOCHROME1 inversion, in one table where they fit one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from cbir.images.dicom.modality import Modality, read_modality
from cbir.images.dicom.values import integer
from cbir.images.dicom.voi import MinMax, Voi, read_voi

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from cbir.images.dicom.codecs import Sample
    from cbir.images.dicom.frames import Samples
    from cbir.images.settings import ReadSpec

_TABLE_BITS = 16
_WHITE = 65535.0


@dataclass(frozen=True, slots=True)
class _Rendering:
    modality: Modality
    voi: Voi | None
    inverted: bool
    padding: tuple[float, float] | None


def render_grey(
    samples: Samples, dataset: Dataset, frame: int, spec: ReadSpec
) -> tuple[NDArray[np.uint16] | NDArray[np.float32], float, tuple[str, ...]]:
    """Render a frame as the file means it to be seen.

    Padding takes no part in the min-max and is black in the result, whatever the photometric interpretation.

    Returns:
        (rows, columns) pixels; white: 65535 with uint16 for stored values of up to 16 bits, else 1.0 with
        float32; notes.
    """
    modality, notes = read_modality(dataset, frame, signed=samples.signed)
    can_be_negative = samples.signed or (modality.lut is None and modality.intercept < 0)
    voi, more = read_voi(dataset, frame, spec, signed=can_be_negative)
    rendering = _Rendering(modality, voi, samples.photometric == "MONOCHROME1", _padding(dataset, samples))
    if samples.values.dtype.kind == "u" and samples.bits <= _TABLE_BITS:
        return _by_table(samples, rendering), _WHITE, (*notes, *more)
    return _by_value(samples, rendering), 1.0, (*notes, *more)


def _by_table(samples: Samples, rendering: _Rendering) -> NDArray[np.uint16]:
    dtype = np.uint8 if samples.values.dtype.itemsize == 1 else np.uint16
    values = np.ascontiguousarray(samples.values.astype(dtype, copy=False))
    # One entry for every pattern that the array's type can hold; those past samples.bits never occur.
    patterns = np.arange(1 << 8 * values.dtype.itemsize)
    stored = _signed(patterns, samples)
    counted = stored
    if rendering.voi is None:
        counted = stored[_extremes(values, samples, rendering)]
    grey = _grey(stored, counted, rendering)
    table = np.rint(grey * _WHITE).astype(np.uint16)
    return cv2.LUT(values, table).reshape(values.shape).astype(np.uint16, copy=False)


def _extremes(
    values: NDArray[np.uint8] | NDArray[np.uint16], samples: Samples, rendering: _Rendering
) -> NDArray[np.integer]:
    """Patterns that occur, the lowest and the highest stored values among them."""
    width = values.dtype.itemsize * 8
    is_sorted = not samples.signed or samples.bits == width
    if rendering.padding is None and rendering.modality.lut is None and is_sorted:
        ordered = values.view(f"i{values.dtype.itemsize}") if samples.signed else values
        return np.array([ordered.min(), ordered.max()]).astype(values.dtype)
    counts = cv2.calcHist([values], [0], None, [1 << width], [0, 1 << width])
    return np.flatnonzero(counts)


def _by_value(samples: Samples, rendering: _Rendering) -> NDArray[np.float32]:
    stored = samples.values.astype(np.float64)
    if samples.values.dtype.kind == "u":
        stored = _signed(samples.values, samples)
    return _grey(stored, stored, rendering).astype(np.float32)


def _signed(patterns: NDArray[Sample], samples: Samples) -> NDArray[np.float64]:
    values = patterns.astype(np.float64)
    if samples.signed:
        values[values >= 2.0 ** (samples.bits - 1)] -= 2.0**samples.bits
    return values


def _grey(
    stored: NDArray[np.float64], counted: NDArray[np.float64], rendering: _Rendering
) -> NDArray[np.float64]:
    values = rendering.modality(stored)
    voi = rendering.voi
    if voi is None:
        seen = rendering.modality(counted[~_is_padding(counted, rendering.padding)])
        seen = seen[np.isfinite(seen)]
        voi = MinMax(float(seen.min()), float(seen.max())) if seen.size else MinMax(0, 0)
    grey = np.nan_to_num(voi(values), nan=0.0)
    if rendering.inverted:
        grey = 1 - grey
    grey[_is_padding(stored, rendering.padding)] = 0
    return grey


def _is_padding(stored: NDArray[np.float64], padding: tuple[float, float] | None) -> NDArray[np.bool_]:
    if padding is None:
        return np.zeros(stored.shape, np.bool_)
    return (stored >= padding[0]) & (stored <= padding[1])


def _padding(dataset: Dataset, samples: Samples) -> tuple[float, float] | None:
    value = integer(dataset, "PixelPaddingValue")
    if value is None:
        return None
    limit = integer(dataset, "PixelPaddingRangeLimit")
    ends = [value] if limit is None else [value, limit]
    if samples.signed:  # written as unsigned by some
        ends = [end - (1 << _TABLE_BITS) if end >= 1 << _TABLE_BITS - 1 else end for end in ends]
    return float(min(ends)), float(max(ends))
