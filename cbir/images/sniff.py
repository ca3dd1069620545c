"""What a file is, by its first bytes; names and extensions are never asked."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cbir.images.image import ImageFormat

_PREFIXES: dict[bytes, ImageFormat] = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"II*\x00": "tiff",
    b"MM\x00*": "tiff",
    b"II+\x00\x08\x00\x00\x00": "tiff",
    b"MM\x00+\x00\x08\x00\x00": "tiff",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
}
_BMP_HEADER_SIZES = frozenset({12, 40, 52, 56, 64, 108, 124})
_PNM = re.compile(rb"P[2356](?:(?:\s|#[^\r\n]*+[\r\n])++[0-9]{1,20}){3}\s")
_LONGEST_PNM_HEADER = 1 << 16
_LONG_VRS = frozenset({b"OB", b"OW", b"OF", b"OD", b"OL", b"SQ", b"UN", b"UT", b"UC", b"UR"})
_SHORT_VRS = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT"}
    | {b"PN", b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"}
)
_FIRST_GROUPS = frozenset({0x0002, 0x0008})
_HIGHEST_FIRST_ELEMENT = 0x0060
_LONGEST_FIRST_VALUE = 1024


def sniff(data: bytes) -> ImageFormat | None:
    """The format of the bytes, or None when it is no image that we read."""
    if data[128:132] == b"DICM":
        return "dicom"
    for prefix, name in _PREFIXES.items():
        if data.startswith(prefix):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADER_SIZES:
        return "bmp"
    if _PNM.match(data, 0, _LONGEST_PNM_HEADER):
        return "pnm"
    return "dicom" if looks_like_bare_dicom(data) else None


def looks_like_bare_dicom(data: bytes) -> bool:
    """Whether the bytes start like a DICOM data set whose preamble and DICM are missing."""
    return _starts_with_element(data, "<") or _starts_with_element(data, ">")


def _starts_with_element(data: bytes, order: str) -> bool:
    if len(data) < 64:  # noqa: PLR2004 - no data set with an image is shorter
        return False
    group, element = struct.unpack_from(order + "HH", data)
    if group not in _FIRST_GROUPS or element > _HIGHEST_FIRST_ELEMENT:
        return False
    vr = data[4:6]
    if vr in _SHORT_VRS:
        return bool(struct.unpack_from(order + "H", data, 6)[0] <= _LONGEST_FIRST_VALUE)
    if vr in _LONG_VRS:
        return bool(struct.unpack_from(order + "I", data, 8)[0] <= _LONGEST_FIRST_VALUE)
    return bool(struct.unpack_from(order + "I", data, 4)[0] <= _LONGEST_FIRST_VALUE)
