"""Compressed frames to samples, by transfer syntax; imagecodecs decodes, and nothing else does."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np

from cbir.errors import ImageError, SkipReason
from cbir.images.codestream import Codestream, j2k_codestream, jpeg_codestream

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from cbir.images.dicom.layout import Layout

Sample = np.integer | np.floating
"""A stored sample."""

_END_OF_IMAGE = b"\xff\xd9"
_RGB_IDS = frozenset({(82, 71, 66), (114, 103, 98)})
_RLE_HEADER_BYTES = 64
_RLE_MOST_EXPANSION = 64


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded frame.

    Args:
        values: (rows, columns[, 3]), integers.
        bits: width of the patterns by the codestream; None leaves Bits Stored in force.
        photometric: of the values.
    """

    values: NDArray[Sample]
    bits: int | None
    photometric: str


def decode(stream: bytes, transfer_syntax: str, layout: Layout, max_bytes: int) -> Decoded:
    """Decode a frame whose stream agrees with what the data set declares.

    Args:
        stream: of one frame.
        transfer_syntax: UID.
        layout: what the data set declares.
        max_bytes: what the stream may declare.

    Raises:
        ImageError: no codec, another size than declared, too large, truncated, or damaged.
    """
    codec = CODECS.get(transfer_syntax)
    if codec is None:
        raise ImageError(SkipReason.MISSING_CODEC, _missing(transfer_syntax))
    try:
        return codec(stream, layout, max_bytes)
    except (ImageError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - every decoder has errors of its own
        name = type(error).__name__
        raise ImageError(SkipReason.MALFORMED, f"a compressed frame can't be decoded ({name})") from None


def _missing(transfer_syntax: str) -> str:
    from pydicom._uid_dict import UID_dictionary
    from pydicom.uid import UID

    if transfer_syntax not in UID_dictionary:
        return "no decoder for a private or unknown transfer syntax; convert the file to a standard one"
    name = UID(transfer_syntax).name
    return f"no decoder for transfer syntax {transfer_syntax} ({name}); convert the file to another one"


def _check(found: Codestream, stream: bytes, layout: Layout, max_bytes: int) -> None:
    if found.n_bytes > max_bytes:
        raise ImageError(
            SkipReason.TOO_LARGE,
            f"the codestream declares {found.n_bytes / 2**20:.0f} MiB of pixels, {max_bytes / 2**20:.0f} are "
            "allowed; raise max_pixel_mb to read it",
        )
    of_stream = found.height, found.width, found.components
    declared = layout.rows, layout.columns, layout.samples
    if of_stream != declared:
        raise ImageError(SkipReason.MALFORMED, f"the codestream is {of_stream}, the header says {declared}")
    if stream.rfind(_END_OF_IMAGE) < 0:
        raise ImageError(SkipReason.TRUNCATED, "a compressed frame has no end marker")


def _jpeg(stream: bytes, layout: Layout, max_bytes: int) -> Decoded:
    found = jpeg_codestream(stream)
    _check(found, stream, layout, max_bytes)
    if layout.samples == 1:
        return Decoded(imagecodecs.jpeg8_decode(stream), None, layout.photometric)
    space = "YCBCR" if _is_ybr(found, layout.photometric) else "RGB"
    return Decoded(imagecodecs.jpeg8_decode(stream, colorspace=space, outcolorspace="RGB"), None, "RGB")


def _jpeg_lossless(stream: bytes, layout: Layout, max_bytes: int) -> Decoded:
    _check(jpeg_codestream(stream), stream, layout, max_bytes)
    space = None if layout.samples == 1 else "RGB"
    return Decoded(
        imagecodecs.jpeg8_decode(stream, colorspace=space, outcolorspace=space), None, layout.photometric
    )


def _is_ybr(found: Codestream, photometric: str) -> bool:
    if found.component_ids in _RGB_IDS:
        return False
    if found.adobe_transform is not None:
        return found.adobe_transform == 1
    return found.is_jfif or photometric.startswith("YBR")


def _jpeg_ls(stream: bytes, layout: Layout, max_bytes: int) -> Decoded:
    found = jpeg_codestream(stream)
    _check(found, stream, layout, max_bytes)
    return Decoded(_patterns(imagecodecs.jpegls_decode(stream), found), found.bits, layout.photometric)


def _jpeg_2000(stream: bytes, layout: Layout, max_bytes: int) -> Decoded:
    return _jpeg_2000_by(imagecodecs.jpeg2k_decode, stream, layout, max_bytes)


def _htj2k(stream: bytes, layout: Layout, max_bytes: int) -> Decoded:
    return _jpeg_2000_by(imagecodecs.htj2k_decode, stream, layout, max_bytes)


def _jpeg_2000_by(
    decoder: Callable[[bytes], NDArray[Sample]], stream: bytes, layout: Layout, max_bytes: int
) -> Decoded:
    found = j2k_codestream(stream)
    _check(found, stream, layout, max_bytes)
    undone = found.multi_component or layout.photometric in {"YBR_ICT", "YBR_RCT"}
    photometric = "RGB" if layout.samples > 1 and undone else layout.photometric
    return Decoded(_patterns(decoder(stream), found), found.bits, photometric)


def _patterns(values: NDArray[Sample], found: Codestream) -> NDArray[Sample]:
    """Bit patterns of the codestream's own width.

    Whether they are signed is then the data set's to say: a codestream with the wrong sign keeps its bits.
    """
    unsigned = values.view(f"u{values.dtype.itemsize}")
    if not found.signed or found.bits >= values.dtype.itemsize * 8:
        return unsigned
    masked: NDArray[Sample] = unsigned & unsigned.dtype.type((1 << found.bits) - 1)
    return masked


def _rle(stream: bytes, layout: Layout, max_bytes: int) -> Decoded:
    n_segments = layout.samples * layout.bits_allocated // 8
    if len(stream) < _RLE_HEADER_BYTES:
        raise ImageError(SkipReason.TRUNCATED, "an RLE frame ends in its header")
    found, *offsets = struct.unpack_from(f"<{1 + n_segments}I", stream)
    if found != n_segments:
        raise ImageError(SkipReason.MALFORMED, f"an RLE frame of {found} segments, {n_segments} are declared")
    if max(offsets) >= len(stream):
        raise ImageError(SkipReason.TRUNCATED, "an RLE frame ends before its last segment")
    dtype = np.dtype(f"<u{layout.bits_allocated // 8}")
    # Some writers pad a segment: the exact size is insisted on only where more could be too much.
    size = layout.frame_bytes if len(stream) * _RLE_MOST_EXPANSION > max_bytes else None
    planes = np.frombuffer(imagecodecs.dicomrle_decode(stream, dtype, out=size), dtype)
    n_samples = layout.rows * layout.columns * layout.samples
    if planes.size < n_samples:
        raise ImageError(
            SkipReason.TRUNCATED, f"an RLE frame of {planes.size} samples, {n_samples} are declared"
        )
    planes = planes[:n_samples].reshape(layout.samples, layout.rows, layout.columns)
    values = planes[0] if layout.samples == 1 else np.moveaxis(planes, 0, -1)
    return Decoded(values, None, "YBR_FULL" if layout.photometric == "YBR_FULL_422" else layout.photometric)


_PREFIX = "1.2.840.10008.1.2"
CODECS: dict[str, Callable[[bytes, Layout, int], Decoded]] = {
    f"{_PREFIX}.4.50": _jpeg,
    f"{_PREFIX}.4.51": _jpeg,
    f"{_PREFIX}.4.57": _jpeg_lossless,
    f"{_PREFIX}.4.70": _jpeg_lossless,
    f"{_PREFIX}.4.80": _jpeg_ls,
    f"{_PREFIX}.4.81": _jpeg_ls,
    f"{_PREFIX}.4.90": _jpeg_2000,
    f"{_PREFIX}.4.91": _jpeg_2000,
    f"{_PREFIX}.4.201": _htj2k,
    f"{_PREFIX}.4.202": _htj2k,
    f"{_PREFIX}.4.203": _htj2k,
    f"{_PREFIX}.5": _rle,
}
"""A decoder a transfer syntax."""
