"""PGM and PPM, plain and raw: any number of grey levels up to 16 bits."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from cbir.errors import ImageError, SkipReason
from cbir.images.raster.finish import finished

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.images.image import Image, Pixels
    from cbir.images.reading import Reading

_BYTE_WHITE = 255
_WORD_WHITE = 65535
_LONGEST_HEADER = 1 << 16
_GAP = rb"(?:\s|#[^\r\n]*+[\r\n])++"
_NUMBER = rb"([0-9]{1,20})"
_HEADER = re.compile(rb"P([2356])" + _GAP + _NUMBER + _GAP + _NUMBER + _GAP + _NUMBER + rb"(?=\s)")
_COMMENT = re.compile(rb"#[^\r\n]*+")


@dataclass(frozen=True, slots=True)
class _Header:
    is_raw: bool
    channels: int
    width: int
    height: int
    white: int
    end: int

    @property
    def n_samples(self) -> int:
        return self.width * self.height * self.channels

    @property
    def sample_bytes(self) -> int:
        return 1 if self.white <= _BYTE_WHITE else 2


def read_pnm(data: bytes, reading: Reading) -> list[Image]:
    """Read a P2, P3, P5 or P6; of several images in one file the first, and a note says so.

    The header's maxval is white: 255 and 65535 keep their samples, others are scaled to 8 or 16 bits.

    Raises:
        ImageError: truncated, damaged, or too large.

    Source: the pages pgm(5) and ppm(5) of Netpbm.
    """
    header = _read_header(data)
    reading.check_size(header.n_samples * header.sample_bytes, "header")
    samples, notes = _raw(data, header) if header.is_raw else _plain(data, header)
    pixels, clipped = _full_range(samples, header)
    shape = (header.height, header.width) + (() if header.channels == 1 else (header.channels,))
    bits = header.white.bit_length()
    return [finished(cast("Pixels", pixels.reshape(shape)), "pnm", bits, reading, notes=(*notes, *clipped))]


def _read_header(data: bytes) -> _Header:
    match = _HEADER.match(data, 0, _LONGEST_HEADER)
    if match is None:
        raise ImageError(SkipReason.MALFORMED, "the PNM header is damaged")
    kind, width, height, white = (int(each) for each in match.groups())
    if not 0 < white <= _WORD_WHITE:
        raise ImageError(SkipReason.MALFORMED, f"the PNM header says that white is {white}")
    return _Header(kind in {5, 6}, 3 if kind in {3, 6} else 1, width, height, white, match.end())


def _raw(data: bytes, header: _Header) -> tuple[NDArray[np.integer], tuple[str, ...]]:
    needed = header.n_samples * header.sample_bytes
    start = header.end + 1
    if data[header.end : start + 1] == b"\r\n" and len(data) == start + 1 + needed:
        start += 1  # written on Windows: two bytes where the format has one
    if len(data) - start < needed:
        sizes = f"{max(len(data) - start, 0)} bytes of pixels, the PNM needs {needed}"
        raise ImageError(SkipReason.TRUNCATED, sizes)
    stored = np.dtype("u1" if header.sample_bytes == 1 else ">u2")
    samples = np.frombuffer(data, stored, header.n_samples, start)
    following = data[start + needed : start + needed + _LONGEST_HEADER].lstrip()
    return samples, ("first of several images",) if _HEADER.match(following) else ()


def _plain(data: bytes, header: _Header) -> tuple[NDArray[np.integer], tuple[str, ...]]:
    text = _COMMENT.sub(b"", data[header.end :]).strip()
    if len(text) < 2 * header.n_samples - 1:  # a digit each, and a space between
        raise ImageError(SkipReason.TRUNCATED, "the PNM has fewer numbers than pixels")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # Never with a count: it makes up the numbers that are not there.
            samples = np.fromstring(text, dtype=np.int64, sep=" ")
    except (ValueError, DeprecationWarning):
        raise ImageError(SkipReason.MALFORMED, "the PNM holds what is no number") from None
    if len(samples) < header.n_samples:
        raise ImageError(SkipReason.TRUNCATED, "the PNM has fewer numbers than pixels")
    if samples.min() < 0:
        raise ImageError(SkipReason.MALFORMED, "the PNM holds negative numbers")
    return samples[: header.n_samples], ()


def _full_range(samples: NDArray[np.integer], header: _Header) -> tuple[Pixels, tuple[str, ...]]:
    full = _BYTE_WHITE if header.sample_bytes == 1 else _WORD_WHITE
    dtype = np.uint8 if header.sample_bytes == 1 else np.uint16
    n_above = int((samples > header.white).sum())
    notes = (f"{n_above} samples above white: white",) if n_above else ()
    if header.white == full and not n_above:
        return cast("Pixels", samples.astype(dtype)), notes
    levels = np.rint(np.arange(header.white + 1) * (full / header.white)).astype(dtype)
    return cast("Pixels", levels[np.minimum(samples, header.white)]), notes
