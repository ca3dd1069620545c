"""PNG: 1 to 16 bits, grey, colour and palette, with and without alpha."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import imagecodecs

from cbir.errors import ImageError, SkipReason
from cbir.images.raster.finish import exif_orientation, finished, grey_if_equal, over_black

if TYPE_CHECKING:
    from cbir.images.image import Image
    from cbir.images.reading import Reading

_SIGNATURE_BYTES = 8
_CHUNK_OVERHEAD = 12
_PALETTE = 3
_CHANNELS = {0: 1, 2: 3, _PALETTE: 3, 4: 2, 6: 4}
_WORD_BITS = 16


@dataclass(frozen=True, slots=True)
class _Header:
    width: int
    height: int
    bits: int
    colour_type: int
    n_frames: int
    exif: bytes
    has_transparency: bool

    @property
    def n_bytes(self) -> int:
        channels = _CHANNELS[self.colour_type] + self.has_transparency
        return self.width * self.height * channels * (2 if self.bits == _WORD_BITS else 1)


def read_png(data: bytes, reading: Reading) -> list[Image]:
    """Read a PNG; of an animated one the still image, and a note says so.

    16 bits stay 16 bits. Transparency is put over black. Gamma and colour profiles are not applied.

    Raises:
        ImageError: truncated, damaged, or too large.
    """
    header = _read_header(data)
    reading.check_size(header.n_bytes, "header")
    notes: tuple[str, ...] = ()
    if header.n_frames > 1:
        reading.frames(header.n_frames)
        notes = (f"still image of an animation of {header.n_frames} frames",)
    try:
        decoded = imagecodecs.png_decode(data)
    except imagecodecs.PngError:
        raise ImageError(SkipReason.MALFORMED, "the PNG data can't be decoded") from None
    pixels, transparency = over_black(decoded)
    if header.colour_type == _PALETTE:
        pixels = grey_if_equal(pixels)
    orientation = exif_orientation(header.exif)
    image = finished(
        pixels, "png", header.bits, reading, orientation=orientation, notes=(*notes, *transparency)
    )
    return [image]


def _read_header(data: bytes) -> _Header:
    """Walk the chunks to the end, so that a cut file is known as one."""
    first: tuple[int, int, int, int] | None = None
    n_frames, exif, has_transparency = 1, b"", False
    at = _SIGNATURE_BYTES
    while at + _CHUNK_OVERHEAD <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + 8 + min(length, 1 << 20)]
        at += _CHUNK_OVERHEAD + length
        if kind == b"IHDR" and len(content) >= struct.calcsize(">IIBB"):
            first = struct.unpack_from(">IIBB", content)
        elif kind == b"acTL" and len(content) >= struct.calcsize(">I"):
            n_frames = max(1, struct.unpack_from(">I", content)[0])
        elif kind == b"eXIf":
            exif = content
        elif kind == b"tRNS":
            has_transparency = True
        elif kind == b"IEND":
            break
    else:
        raise ImageError(SkipReason.TRUNCATED, "the PNG has no end chunk")
    if first is None or first[3] not in _CHANNELS or at > len(data):
        raise ImageError(SkipReason.MALFORMED, "the PNG header is damaged")
    return _Header(*first, n_frames, exif, has_transparency)
