"""Whether a file is a whole slide, by its TIFF directories; nothing is decoded, and little is read."""

from __future__ import annotations

import contextlib
import os
import struct
from dataclasses import dataclass

from cbir.errors import ImageError, SkipReason

_BIG = 43
_CLASSIC = 42
_MAX_CLASSIC_BYTES = 1 << 32
_MAX_DIRECTORIES = 64
_MAX_ENTRIES = 4096
_SHAPE_TOLERANCE = 0.05
_WIDTH, _HEIGHT, _TILE_WIDTH, _NDPI = 256, 257, 322, 65420
_ASKED = frozenset({_WIDTH, _HEIGHT, _TILE_WIDTH, _NDPI})
_WHOLE_NUMBERS = {3: "H", 4: "I", 16: "Q"}
_BYTES_A_PIXEL = 3


@dataclass(frozen=True, slots=True)
class _Page:
    width: int
    height: int
    is_tiled: bool
    is_ndpi: bool

    def is_level_of(self, first: _Page) -> bool:
        """Whether it is tiled, smaller, and of the same shape."""
        if not self.is_tiled or not 0 < self.width < first.width or not self.height:
            return False
        shape, wanted = self.width / self.height, first.width / first.height
        return abs(shape - wanted) <= wanted * _SHAPE_TOLERANCE


def is_slide(descriptor: int, max_pixel_bytes: int) -> bool:
    """Whether the file is a TIFF that is too large, or too deep, to be one picture.

    That is: tiled, with a smaller tiled page of the same shape (a pyramid) or with more pixels than the
    limit; or Hamamatsu's NDPI. The names of files are not asked.

    Args:
        descriptor: of a regular file, open for reading; its position stays.
        max_pixel_bytes: what an ordinary image may have, decoded.

    Raises:
        ImageError: a slide that ends before its last directory.
    """
    try:
        pages, is_whole = _pages(descriptor)
    except (
        struct.error,
        OverflowError,
        OSError,
    ):  # the ordinary reader says what is wrong
        return False
    if not pages:
        return False
    first = pages[0]
    if first.is_ndpi:
        return True
    if not first.is_tiled or not first.width or not first.height:
        return False
    is_large = first.width * first.height * _BYTES_A_PIXEL > max_pixel_bytes
    if not is_large and not any(page.is_level_of(first) for page in pages[1:]):
        return False
    if not is_whole:
        raise ImageError(SkipReason.TRUNCATED, "the slide ends before its last directory")
    return True


def _pages(descriptor: int) -> tuple[list[_Page], bool]:
    """The directories, and whether all of them are there."""
    head = os.pread(descriptor, 16, 0)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None:
        return [], True
    (version,) = struct.unpack_from(order + "H", head, 2)
    if version not in {_CLASSIC, _BIG}:
        return [], True
    is_big = version == _BIG
    if not is_big and (far := _far_ndpi(descriptor, head, order)):
        return [far], True
    (at,) = struct.unpack_from(order + ("Q" if is_big else "I"), head, 8 if is_big else 4)
    pages: list[_Page] = []
    seen: set[int] = set()
    while at and at not in seen and len(pages) < _MAX_DIRECTORIES:
        seen.add(at)
        try:
            page, at = _page(descriptor, at, order, is_big=is_big)
        except struct.error:  # NDPI's second directory may lie past 4 GiB, where these offsets don't reach
            return pages, False
        pages.append(page)
    return pages, True


def _far_ndpi(descriptor: int, head: bytes, order: str) -> _Page | None:
    """The first directory of an NDPI beyond 4 GiB: its offset has 64 bits, though a plain TIFF's has 32."""
    if os.fstat(descriptor).st_size <= _MAX_CLASSIC_BYTES:
        return None
    with contextlib.suppress(struct.error, OverflowError, OSError):
        page, _ = _page(descriptor, struct.unpack_from(order + "Q", head, 4)[0], order, is_big=False)
        return page if page.is_ndpi else None
    return None


def _page(descriptor: int, at: int, order: str, *, is_big: bool) -> tuple[_Page, int]:
    """Read a directory; and where the next one lies."""
    count, entry_bytes, offset = ("Q", 20, "Q") if is_big else ("H", 12, "I")
    n_head = struct.calcsize(order + count)
    (n_entries,) = struct.unpack(order + count, os.pread(descriptor, n_head, at))
    if n_entries > _MAX_ENTRIES:
        raise struct.error
    n_bytes = n_entries * entry_bytes
    body = os.pread(descriptor, n_bytes + struct.calcsize(order + offset), at + n_head)
    (following,) = struct.unpack_from(order + offset, body, n_bytes)
    values: dict[int, int] = {}
    for entry in range(0, n_bytes, entry_bytes):
        tag, kind = struct.unpack_from(order + "HH", body, entry)
        if tag in _ASKED and kind in _WHOLE_NUMBERS:
            value_at = entry + 4 + struct.calcsize(order + offset)
            (values[tag],) = struct.unpack_from(order + _WHOLE_NUMBERS[kind], body, value_at)
    page = _Page(values.get(_WIDTH, 0), values.get(_HEIGHT, 0), _TILE_WIDTH in values, _NDPI in values)
    return page, following
