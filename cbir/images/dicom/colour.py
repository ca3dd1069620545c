"""Colour samples to RGB: scaling, YBR and palettes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import ImageError, SkipReason

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from cbir.images.dicom.frames import Samples

_BYTE_BITS, _WORD_BITS = 8, 16
_FROM_YBR = np.array([[1, 1, 1], [0, -0.114 * 1.772 / 0.587, 1.772], [1.402, -0.299 * 1.402 / 0.587, 0]])


def render_colour(
    samples: Samples, dataset: Dataset
) -> tuple[NDArray[np.uint8] | NDArray[np.uint16], float, tuple[str, ...]]:
    """Render a frame of PALETTE COLOR, RGB or YBR.

    Returns:
        (rows, columns, 3) RGB; white: 255 with uint8 for samples of up to 8 bits, else 65535 with uint16;
        notes.

    Raises:
        ImageError: no usable palette, or samples that are floats.
    """
    if samples.values.dtype.kind != "u":
        raise ImageError(SkipReason.UNSUPPORTED, "colour samples that are floats")
    if samples.photometric == "PALETTE COLOR":
        pixels = _from_palette(samples, dataset)
        return pixels, float(np.iinfo(pixels.dtype).max), ()
    values = samples.values
    notes: tuple[str, ...] = ()
    if samples.bits > _WORD_BITS:
        notes = (f"colours of {samples.bits} bits cut to {_WORD_BITS}",)
        values = values >> values.dtype.type(samples.bits - _WORD_BITS)
    width = _BYTE_BITS if samples.bits <= _BYTE_BITS else _WORD_BITS
    dtype, white = (np.uint8, 255.0) if width == _BYTE_BITS else (np.uint16, 65535.0)
    if samples.bits < width:
        values = np.rint(values * (white / ((1 << samples.bits) - 1)))
    values = np.ascontiguousarray(values.astype(dtype, copy=False))
    return (_from_ybr(values, white) if samples.photometric.startswith("YBR") else values), white, notes


def _from_ybr(values: NDArray[np.uint8] | NDArray[np.uint16], white: float) -> NDArray[np.uint8]:
    """Undo YBR_FULL, PS3.3 C.7.6.3.1.2."""
    centred = values.astype(np.float32)
    centred[..., 1:] -= (white + 1) / 2
    rgb: NDArray[np.uint8] = np.clip(np.rint(centred @ _FROM_YBR.astype(np.float32)), 0, white).astype(
        values.dtype
    )
    return rgb


def _from_palette(samples: Samples, dataset: Dataset) -> NDArray[np.uint8] | NDArray[np.uint16]:
    from pydicom.pixels import apply_color_lut

    if samples.bits > _WORD_BITS:
        raise ImageError(SkipReason.UNSUPPORTED, f"a palette index of {samples.bits} bits")
    indices = np.arange(1 << samples.bits, dtype=np.uint16)
    try:
        colours = apply_color_lut(indices, dataset)
    except RecursionError:
        raise
    except Exception as error:  # noqa: BLE001 - a palette is damaged in as many ways as it has elements
        name = type(error).__name__
        raise ImageError(SkipReason.MALFORMED, f"the palette can't be read ({name})") from None
    return np.ascontiguousarray(colours[samples.values])
