"""Colour samples to RGB: scaling, YBR and palettes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cbir.errors import ImageError, SkipReason

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from cbir.images.dicom.frames import Samples

RGB = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

_BYTE_BITS, _WORD_BITS = 8, 16
_BYTE_MAX = 255
_FROM_YBR = np.array(
    [[1, 1, 1], [0, -0.114 * 1.772 / 0.587, 1.772], [1.402, -0.299 * 1.402 / 0.587, 0]], np.float32
)


def render_colour(samples: Samples, dataset: Dataset) -> tuple[RGB, float, tuple[str, ...]]:
    """Render a frame of PALETTE COLOR, RGB or YBR.

    Returns:
        (rows, columns, 3) RGB; white: 255 with uint8 for colours of up to 8 bits, else 65535 with uint16;
        notes.

    Raises:
        ImageError: no usable palette, or samples that are floats.
    """
    if samples.values.dtype.kind != "u":
        raise ImageError(SkipReason.UNSUPPORTED, "colour samples that are floats")
    notes: tuple[str, ...] = ()
    if samples.photometric == "PALETTE COLOR":
        pixels = _from_palette(samples, dataset)
    else:
        pixels = _full_range(samples)
        if samples.photometric.startswith("YBR"):
            pixels = _from_ybr(pixels)
        if samples.bits > _WORD_BITS:
            notes = (f"colours of {samples.bits} bits scaled to {_WORD_BITS}",)
    return pixels, float(np.iinfo(pixels.dtype).max), notes


def _full_range(samples: Samples) -> RGB:
    """Samples scaled so that full scale is the white of uint8, or of uint16."""
    dtype: type[np.uint8 | np.uint16] = np.uint8 if samples.bits <= _BYTE_BITS else np.uint16
    white, full_scale = np.iinfo(dtype).max, (1 << samples.bits) - 1
    if full_scale == white:
        return np.ascontiguousarray(samples.values.astype(dtype, copy=False))
    return np.ascontiguousarray(np.rint(samples.values * (white / full_scale)).astype(dtype))


def _from_ybr(values: RGB) -> RGB:
    """Undo YBR_FULL, PS3.3 C.7.6.3.1.2."""
    white = np.iinfo(values.dtype).max
    centred = values.astype(np.float32)
    centred[..., 1:] -= (white + 1) / 2
    rgb: RGB = np.clip(np.rint(centred @ _FROM_YBR), 0, white).astype(values.dtype)
    return rgb


def _from_palette(samples: Samples, dataset: Dataset) -> RGB:
    from pydicom.pixels.processing import apply_color_lut

    if samples.bits > _WORD_BITS:
        raise ImageError(SkipReason.UNSUPPORTED, f"a palette index of {samples.bits} bits")
    try:
        colours = apply_color_lut(np.arange(1 << samples.bits, dtype=np.uint16), dataset)
    except RecursionError:
        raise
    except Exception as error:  # noqa: BLE001 - a palette is damaged in as many ways as it has elements
        name = type(error).__name__
        raise ImageError(SkipReason.MALFORMED, f"the palette can't be read ({name})") from None
    # Palettes of 8-bit colours are often written into 16 bits, in the low byte or in the high one.
    if colours.max() <= _BYTE_MAX:
        colours = colours.astype(np.uint8)
    elif not (colours & _BYTE_MAX).any():
        colours = (colours >> _BYTE_BITS).astype(np.uint8)
    return np.ascontiguousarray(colours[samples.values])
