"""TIFF: 1 to 64 bits, integer and float, grey, RGB, palette and CMYK, many pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import imagecodecs
import numpy as np

from cbir.errors import ImageError, SkipReason
from cbir.images.raster.finish import finished, grey_if_equal, over_black, scaled
from cbir.images.raster.tiff_pages import read_pages

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.images.image import Image, Pixels
    from cbir.images.raster.finish import Raw
    from cbir.images.raster.tiff_pages import TiffPage
    from cbir.images.reading import Reading

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_READ = frozenset({_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR})
_BITS = frozenset({1, 2, 4, 8, 16, 32, 64})
_SMALLEST_WHOLE_SAMPLE = 8
_PREMULTIPLIED = 1
_COLOURS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _YCBCR: 3, _CMYK: 4, _PALETTE: 1}


def read_tiff(data: bytes, reading: Reading) -> list[Image]:
    """Read the pages that the spec asks for; reduced images and masks are not counted as pages.

    Integers of 8 and 16 bits keep their range; all others are scaled by the page's own min-max.

    Raises:
        ImageError: truncated, damaged, too large, or left out by policy.
    """
    found = read_pages(data)
    pages = [page for page in found if not page.is_reduced] or found
    chosen = reading.frames(len(pages))
    reading.check_size(sum(pages[frame].n_bytes for frame in chosen), "header")
    images: list[Image] = []
    for frame in chosen:
        page = pages[frame]
        pixels, notes = _decoded(data, page)
        images.append(
            finished(
                pixels,
                "tiff",
                page.bits,
                reading,
                frame=frame,
                n_frames=len(pages),
                orientation=page.orientation,
                notes=notes,
            )
        )
    return images


def _decoded(data: bytes, page: TiffPage) -> tuple[Pixels, tuple[str, ...]]:
    if page.photometric not in _READ or page.bits not in _BITS:
        described = f"photometric {page.photometric}, {page.bits} bits"
        raise ImageError(SkipReason.UNSUPPORTED, f"a TIFF page of {described}")
    if page.n_bytes <= 0:
        raise ImageError(SkipReason.MALFORMED, "a TIFF page without pixels")
    if page.data_end > len(data):
        raise ImageError(SkipReason.TRUNCATED, f"{len(data)} bytes, the TIFF needs {page.data_end}")
    as_rgb = page.photometric in {_PALETTE, _CMYK} or 1 < page.bits < _SMALLEST_WHOLE_SAMPLE
    try:
        decoded = imagecodecs.tiff_decode(data, index=page.index, asrgb=as_rgb)
    except (imagecodecs.TiffError, ValueError, NotImplementedError):
        raise ImageError(SkipReason.MALFORMED, "a TIFF page can't be decoded") from None
    if as_rgb:
        pixels, notes = over_black(decoded)
        converted = (f"{page.bits}-bit CMYK converted to 8-bit RGB",) if page.photometric == _CMYK else ()
        return grey_if_equal(pixels), (*converted, *notes)
    return _by_samples(decoded, page)


def _by_samples(decoded: NDArray[Raw], page: TiffPage) -> tuple[Pixels, tuple[str, ...]]:
    colours = _COLOURS[page.photometric]
    values = decoded if decoded.ndim == 3 else decoded[..., np.newaxis]  # noqa: PLR2004 - (H, W, samples)
    has_alpha = values.shape[2] == colours + 1 and page.extra > 0
    kept = values[..., : colours + (has_alpha and page.extra != _PREMULTIPLIED)]
    notes = ("extra samples left out",) if kept.shape[2] < values.shape[2] and not has_alpha else ()
    pixels, said = scaled(kept)
    if pixels.dtype.kind == "u":
        pixels, transparency = over_black(pixels)
        said = (*said, *transparency)
    elif has_alpha:
        pixels = pixels[..., :colours]
    if page.photometric == _WHITE_IS_ZERO:
        pixels = _inverted(pixels)
    return (pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels), (*notes, *said)  # noqa: PLR2004


def _inverted(pixels: Pixels) -> Pixels:
    if pixels.dtype == np.float32:
        return (1 - pixels).astype(np.float32)
    return np.invert(pixels)
