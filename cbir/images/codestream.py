"""The headers of JPEG, JPEG-LS and JPEG 2000 streams, read without decoding them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbir.errors import ImageError, SkipReason

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_OF_FRAME = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9
_MARKER = 0xFF
_APP0, _APP1, _APP14 = 0xE0, 0xE1, 0xEE
_ADOBE_SIZE = 12
_MAX_COMPONENTS = 4


@dataclass(frozen=True, slots=True)
class Codestream:
    """What a compressed stream says about itself.

    Args:
        width: columns.
        height: rows.
        components: samples a pixel.
        bits: of a sample.
        start_of_frame: the marker of the JPEG process, such as 0xC0 for baseline; JPEG only.
        signed: JPEG 2000 only.
        multi_component: JPEG 2000 only: colours were transformed, and the decoder undoes it.
        adobe_transform: of the APP14 marker: 0 none, 1 YCbCr, 2 YCCK; None without one.
        is_jfif: has an APP0 JFIF marker.
        component_ids: JPEG only.
        exif: the TIFF structure of an APP1 Exif marker, or empty.
    """

    width: int
    height: int
    components: int
    bits: int
    start_of_frame: int = 0
    signed: bool = False
    multi_component: bool = False
    adobe_transform: int | None = None
    is_jfif: bool = False
    component_ids: tuple[int, ...] = ()
    exif: bytes = b""

    @property
    def n_bytes(self) -> int:
        """Of the decoded pixels."""
        return self.width * self.height * self.components * ((self.bits + 7) // 8)


def jpeg_codestream(data: bytes) -> Codestream:
    """Read the markers of a JPEG or JPEG-LS stream up to its frame header.

    Raises:
        ImageError: truncated before the frame header, or no JPEG at all.
    """
    adobe: int | None = None
    is_jfif = False
    exif = b""
    for marker, segment in _segments(data):
        if marker in _START_OF_FRAME:
            return _frame_header(marker, segment, adobe, exif, is_jfif=is_jfif)
        if marker == _APP0 and segment.startswith(b"JFIF"):
            is_jfif = True
        elif marker == _APP1 and segment.startswith(b"Exif\x00\x00"):
            exif = exif or segment[6:]
        elif marker == _APP14 and segment.startswith(b"Adobe") and len(segment) >= _ADOBE_SIZE:
            adobe = segment[_ADOBE_SIZE - 1]
    raise ImageError(SkipReason.TRUNCATED, "the JPEG stream ends before its frame header")


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    if data[:2] != b"\xff\xd8":
        raise ImageError(SkipReason.MALFORMED, "the JPEG stream has no start marker")
    at = 2
    while at + 4 <= len(data):
        if data[at] != _MARKER:
            raise ImageError(SkipReason.MALFORMED, "the JPEG stream has garbage between its markers")
        marker = data[at + 1]
        if marker == _MARKER:  # a fill byte
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        elif marker in {_START_OF_SCAN, _END_OF_IMAGE}:
            raise ImageError(SkipReason.MALFORMED, "the JPEG stream has no frame header")
        else:
            end = at + 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
            yield marker, data[at + 4 : end]
            at = end


def _frame_header(
    marker: int, segment: bytes, adobe: int | None, exif: bytes, *, is_jfif: bool
) -> Codestream:
    try:
        bits, height, width, components = struct.unpack_from(">BHHB", segment)
        ids = tuple(segment[6 + 3 * i] for i in range(components))
    except (struct.error, IndexError):
        raise ImageError(SkipReason.TRUNCATED, "the JPEG stream ends in its frame header") from None
    if not 1 <= components <= _MAX_COMPONENTS:
        raise ImageError(SkipReason.UNSUPPORTED, f"a JPEG stream of {components} components; 1 to 4 are read")
    return Codestream(
        width,
        height,
        components,
        bits,
        marker,
        adobe_transform=adobe,
        is_jfif=is_jfif,
        component_ids=ids,
        exif=exif,
    )


def j2k_codestream(data: bytes) -> Codestream:
    """Read the SIZ marker of a JPEG 2000 or HTJ2K stream, bare or in a JP2 file.

    Raises:
        ImageError: no such marker.
    """
    start = data.find(b"\xff\x4f\xff\x51")
    try:
        sizes = struct.unpack_from(">HH8IH", data, start + 4)
        depths = [struct.unpack_from(">BBB", data, start + 42 + 3 * i) for i in range(min(sizes[10], 4))]
    except struct.error:
        raise ImageError(SkipReason.TRUNCATED, "the JPEG 2000 stream ends in its header") from None
    if start < 0 or not depths:
        raise ImageError(SkipReason.MALFORMED, "the JPEG 2000 stream has no size marker")
    width, height = sizes[2] - sizes[4], sizes[3] - sizes[5]
    if width <= 0 or height <= 0:
        raise ImageError(SkipReason.MALFORMED, "the JPEG 2000 stream declares an image without pixels")
    if sizes[10] > _MAX_COMPONENTS:
        raise ImageError(
            SkipReason.UNSUPPORTED, f"a JPEG 2000 stream of {sizes[10]} components; 1 to 4 are read"
        )
    bits = max(depth[0] & 0x7F for depth in depths) + 1
    # Coding style default: marker, length, style, progression, layers (2), multi-component transform.
    style = data.find(b"\xff\x52", start)
    transformed = style >= 0 and data[style + 8 : style + 9] == b"\x01"
    return Codestream(
        width,
        height,
        sizes[10],
        bits,
        signed=bool(depths[0][0] & 0x80),
        multi_component=transformed,
    )
