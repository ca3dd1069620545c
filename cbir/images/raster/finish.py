"""What every raster format does last: alpha, orientation, scale, and the Image."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from cbir.images.image import Image, ImageInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.images.image import ImageFormat, Pixels
    from cbir.images.reading import Reading

Raw = np.integer | np.floating | np.bool_

_N_GREY_ALPHA = 2
_N_RGB = 3
_N_RGB_ALPHA = 4
_ORIENTATION_TAG = 0x0112
_TRANSPOSED, _FROM_BOTTOM, _FROM_RIGHT = {5, 6, 7, 8}, {3, 4, 7, 8}, {2, 3, 6, 7}
_WHITE = {"u1": 255, "u2": 65535, "f4": 1}


def finished(
    pixels: Pixels,
    image_format: ImageFormat,
    bits: int,
    reading: Reading,
    *,
    frame: int = 0,
    n_frames: int = 1,
    orientation: int = 1,
    notes: tuple[str, ...] = (),
) -> Image:
    """Turn upright and wrap up.

    Args:
        pixels: (H, W), (H, W, 3), uint8 or uint16 with full range, or float32 from 0 to 1.
        image_format: of the file.
        bits: a sample in the file.
        reading: for the note on frames.
        frame: from 0.
        n_frames: in the file.
        orientation: EXIF, 1 to 8; anything else is taken as 1.
        notes: what was done so far.
    """
    upright = cast("Pixels", np.ascontiguousarray(_upright(pixels, orientation)))
    white = float(_WHITE[upright.dtype.str[1:]])
    info = ImageInfo(image_format, upright.shape[1], upright.shape[0], bits, n_frames)
    turned = (f"EXIF orientation {orientation} applied",) if orientation in range(2, 9) else ()
    return Image(upright, white, frame, info, (*reading.frame_notes(frame, n_frames), *notes, *turned))


def over_black(pixels: Pixels) -> tuple[Pixels, tuple[str, ...]]:
    """Composite over black, the background of medical images, where the last of 2 or 4 channels is alpha.

    Returns:
        the pixels, uint8 or uint16, without alpha; and a note where some of it was not opaque.
    """
    if pixels.ndim != _N_RGB or pixels.shape[2] not in {_N_GREY_ALPHA, _N_RGB_ALPHA}:
        return pixels, ()
    colours, alpha = pixels[..., :-1], pixels[..., -1:]
    white = _WHITE[pixels.dtype.str[1:]]
    if (alpha != white).any():
        weighted = (colours.astype(np.uint64) * alpha + white // 2) // white
        seen = cast("Pixels", weighted.astype(pixels.dtype))
        return _squeezed(seen), ("transparency put over black",)
    return _squeezed(colours), ()


def grey_if_equal(pixels: Pixels) -> Pixels:
    """One channel where all three are the same, as in a palette of greys."""
    if pixels.ndim == _N_RGB and pixels.shape[2] == _N_RGB:
        first = pixels[..., :1]
        if (pixels[..., 1:] == first).all():
            return _squeezed(first)
    return pixels


def scaled(values: NDArray[Raw]) -> tuple[Pixels, tuple[str, ...]]:
    """Full range for what is full range already; else min-max to floats from 0 to 1, what is no number to 0.

    Returns:
        uint8 or uint16 unchanged, 0 and 255 for bools, float32 for all else; and a note.
    """
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255), ()
    if values.dtype in {np.dtype(np.uint8), np.dtype(np.uint16)}:
        return values, ()  # type: ignore[return-value]  # the line above says so
    wide = values.astype(np.float64)
    finite = np.isfinite(wide)
    low, high = (wide[finite].min(), wide[finite].max()) if finite.any() else (0.0, 0.0)
    extent = high - low if high > low else 1.0
    with np.errstate(invalid="ignore"):
        grey = np.where(finite, (wide - low) / extent, 0)
    missing = int(finite.size - finite.sum())
    notes = (
        ("scaled by min-max", f"{missing} values that are no numbers: 0")
        if missing
        else ("scaled by min-max",)
    )
    return grey.astype(np.float32), notes


def exif_orientation(exif: bytes) -> int:
    """The orientation an Exif block asks for, 1 when it is damaged or says nothing.

    Args:
        exif: starting with its TIFF header; may be empty.
    """
    if not exif:
        return 1
    from PIL.Image import Exif

    try:
        block = Exif()
        block.load(exif)
        value = block.get(_ORIENTATION_TAG, 1)
    except (SyntaxError, ValueError, KeyError, TypeError, OSError, OverflowError):
        return 1
    return value if isinstance(value, int) and value in range(1, 9) else 1


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    if orientation not in range(2, 9):
        return pixels
    if orientation in _TRANSPOSED:
        pixels = pixels.swapaxes(0, 1)
    if orientation in _FROM_BOTTOM:
        pixels = pixels[::-1]
    return pixels[:, ::-1] if orientation in _FROM_RIGHT else pixels


def _squeezed(pixels: Pixels) -> Pixels:
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels
