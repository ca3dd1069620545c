"""JPEG: baseline and progressive, grey, colour and CMYK; 12 bits and lossless too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import simplejpeg

from cbir.errors import ImageError, SkipReason
from cbir.images.codestream import jpeg_codestream
from cbir.images.raster.finish import exif_orientation, finished

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.images.codestream import Codestream
    from cbir.images.image import Image, Pixels
    from cbir.images.reading import Reading

_BYTE_BITS = 8
_WORD_BITS = 16
_N_CMYK = 4
_JPEG_LS = 0xF7
_LOSSLESS = 0xC3


def read_jpeg(data: bytes, reading: Reading) -> list[Image]:
    """Read a JPEG: grey stays grey, CMYK becomes RGB, the EXIF orientation is applied.

    Raises:
        ImageError: truncated, damaged, or too large.
    """
    found = jpeg_codestream(data)
    reading.check_size(found.n_bytes, "header")
    pixels, notes = _decoded(data, found)
    orientation = exif_orientation(found.exif)
    return [finished(pixels, "jpeg", found.bits, reading, orientation=orientation, notes=notes)]


def _decoded(data: bytes, found: Codestream) -> tuple[Pixels, tuple[str, ...]]:
    if found.start_of_frame == _JPEG_LS:
        import imagecodecs

        return _full_range(imagecodecs.jpegls_decode(data), found.bits), ()
    if found.bits != _BYTE_BITS or found.start_of_frame == _LOSSLESS:
        import imagecodecs

        _check_end(data)
        return _full_range(imagecodecs.jpeg8_decode(data), found.bits), ()
    if found.components == _N_CMYK:
        return _from_cmyk(data), ("CMYK converted to RGB",)
    space = "GRAY" if found.components == 1 else "RGB"
    try:
        return _squeezed(simplejpeg.decode_jpeg(data, space)), ()
    except ValueError as error:
        said = str(error)
    if "extraneous bytes" in said:  # harmless and frequent: the decoder finds its way
        pixels = _squeezed(simplejpeg.decode_jpeg(data, space, strict=False))
        return pixels, ("extraneous bytes in the JPEG ignored",)
    if "Premature end" in said:
        raise ImageError(SkipReason.TRUNCATED, "the JPEG ends before its last row")
    _check_end(data)
    raise ImageError(SkipReason.MALFORMED, "the JPEG can't be decoded")


def _from_cmyk(data: bytes) -> Pixels:
    from cbir.images.raster.pillow import open_image

    _check_end(data)
    with open_image(data, "JPEG") as image:
        return np.asarray(image.convert("RGB"))


def _check_end(data: bytes) -> None:
    if data.rfind(b"\xff\xd9") <= data.rfind(b"\xff\xda"):
        raise ImageError(SkipReason.TRUNCATED, "the JPEG has no end marker")


def _full_range(decoded: NDArray[np.uint8] | NDArray[np.uint16], bits: int) -> Pixels:
    width = decoded.dtype.itemsize * _BYTE_BITS
    if bits == width:
        return decoded
    full = (1 << width) - 1
    stretched: Pixels = np.rint(decoded * (full / ((1 << bits) - 1))).astype(decoded.dtype)
    return stretched


def _squeezed(decoded: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return decoded[..., 0] if decoded.shape[2] == 1 else decoded
