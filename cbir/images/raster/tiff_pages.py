"""The directories of a TIFF, read without decoding a strip."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from cbir.errors import ImageError, SkipReason

_FORMATS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_BIG = 43
_REDUCED_OR_MASK = 0b101
_MAX_PAGES = 65536
_MAX_ENTRIES = 4096
_MAX_VALUES = 1 << 20

_SUBFILE, _WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _ORIENTATION, _SAMPLES = 254, 256, 257, 258, 262, 274, 277
_STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES, _EXTRA, _SAMPLE_FORMAT = 273, 279, 324, 325, 338, 339


@dataclass(frozen=True, slots=True)
class TiffPage:
    """A page's layout.

    Args:
        index: in the chain of directories, from 0.
        width: columns.
        height: rows.
        samples: a pixel, extra ones included.
        bits: a sample.
        photometric: tag 262.
        orientation: tag 274, as in EXIF.
        extra: kind of the first extra sample: 1 is alpha that colours are multiplied by already,
            2 is alpha that they are not; 0 when there is none or it is none.
        is_reduced: a thumbnail, a level of a pyramid, or a mask.
        data_end: where the last strip or tile ends.
    """

    index: int
    width: int
    height: int
    samples: int
    bits: int
    photometric: int
    orientation: int
    extra: int
    is_reduced: bool
    data_end: int

    @property
    def n_bytes(self) -> int:
        """Of the decoded page."""
        return self.width * self.height * self.samples * max(1, self.bits // 8)


def read_pages(data: bytes) -> list[TiffPage]:
    """List the pages; one whose directory lies past the end is a truncated file.

    Raises:
        ImageError: truncated, or no sensible directory.
    """
    order = "<" if data[:2] == b"II" else ">"
    try:
        is_big = struct.unpack_from(order + "H", data, 2)[0] == _BIG
        (at,) = struct.unpack_from(order + ("Q" if is_big else "I"), data, 8 if is_big else 4)
        pages: list[TiffPage] = []
        seen: set[int] = set()
        while at and at not in seen and len(pages) < _MAX_PAGES:
            seen.add(at)
            tags, at = _read_directory(data, at, order, is_big=is_big)
            pages.append(_page(tags, len(pages)))
    except struct.error:
        raise ImageError(SkipReason.TRUNCATED, "the TIFF ends before its last directory") from None
    if not pages:
        raise ImageError(SkipReason.MALFORMED, "the TIFF has no pages")
    return pages


def _read_directory(
    data: bytes, at: int, order: str, *, is_big: bool
) -> tuple[dict[int, tuple[int, ...]], int]:
    count_format, entry_bytes, offset_format = ("Q", 20, "Q") if is_big else ("H", 12, "I")
    (n_entries,) = struct.unpack_from(order + count_format, data, at)
    if n_entries > _MAX_ENTRIES:
        raise ImageError(SkipReason.MALFORMED, f"a TIFF directory of {n_entries} entries")
    at += struct.calcsize(order + count_format)
    tags: dict[int, tuple[int, ...]] = {}
    for entry in range(at, at + n_entries * entry_bytes, entry_bytes):
        tag, kind, n_values = struct.unpack_from(order + "HH" + offset_format, data, entry)
        if kind not in _FORMATS or n_values > _MAX_VALUES:
            continue
        value_at = entry + 4 + struct.calcsize(order + offset_format)
        if n_values * _SIZES[kind] > struct.calcsize(order + offset_format):
            (value_at,) = struct.unpack_from(order + offset_format, data, value_at)
        tags[tag] = struct.unpack_from(f"{order}{n_values}{_FORMATS[kind]}", data, value_at)
    (following,) = struct.unpack_from(order + offset_format, data, at + n_entries * entry_bytes)
    return tags, following


def _page(tags: dict[int, tuple[int, ...]], index: int) -> TiffPage:
    def first(tag: int, default: int) -> int:
        return tags.get(tag, ())[0] if tags.get(tag) else default

    starts = tags.get(_STRIPS) or tags.get(_TILES) or ()
    sizes = tags.get(_STRIP_BYTES) or tags.get(_TILE_BYTES) or ()
    return TiffPage(
        index=index,
        width=first(_WIDTH, 0),
        height=first(_HEIGHT, 0),
        samples=first(_SAMPLES, 1),
        bits=first(_BITS, 1),
        photometric=first(_PHOTOMETRIC, 1),
        orientation=first(_ORIENTATION, 1),
        extra=first(_EXTRA, 0),
        is_reduced=bool(first(_SUBFILE, 0) & _REDUCED_OR_MASK),
        data_end=max((start + size for start, size in zip(starts, sizes, strict=False)), default=0),
    )
