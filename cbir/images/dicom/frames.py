"""One frame of a DICOM object as stored samples: native, packed bits or compressed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import ImageError, SkipReason
from cbir.images.dicom.codecs import decode
from cbir.images.dicom.values import blob

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.images.dicom.codecs import Sample
    from cbir.images.dicom.layout import Layout
    from cbir.images.dicom.parse import Parsed

NATIVE = frozenset(
    {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"}
)


@dataclass(frozen=True, slots=True)
class Samples:
    """A decoded frame before any look-up table.

    Args:
        values: (rows, columns) or (rows, columns, 3); unsigned bit patterns of ``bits`` bits, or floats.
        bits: width of a pattern; the unused high bits, where overlays hide, are already cleared.
        signed: patterns are two's complement.
        photometric: of the values, once the codec has undone what it undoes.
    """

    values: NDArray[Sample]
    bits: int
    signed: bool
    photometric: str


def read_frame(parsed: Parsed, layout: Layout, frame: int, max_bytes: int) -> Samples:
    """Decode one frame and no other.

    Args:
        parsed: the data set.
        layout: its validated pixel module.
        frame: from 0.
        max_bytes: what a compressed frame may declare before it is decoded.

    Raises:
        ImageError: truncated, malformed, too large, or no codec for the transfer syntax.
    """
    pixels = blob(parsed.dataset, layout.keyword)
    if not pixels:
        raise ImageError(SkipReason.TRUNCATED, "the pixel element is empty")
    if layout.is_float or parsed.transfer_syntax in NATIVE:
        return _native(pixels, parsed, layout, frame)
    stream = _encapsulated(pixels, parsed, layout, frame)
    decoded = decode(stream, parsed.transfer_syntax, layout, max_bytes)
    values = decoded.values if decoded.bits is not None else _stored_bits(decoded.values, layout)
    return Samples(values, decoded.bits or layout.bits_stored, layout.signed, decoded.photometric)


def _encapsulated(pixels: bytes, parsed: Parsed, layout: Layout, frame: int) -> bytes:
    from pydicom.encaps import get_frame

    offsets = blob(parsed.dataset, "ExtendedOffsetTable"), blob(parsed.dataset, "ExtendedOffsetTableLengths")
    extended = (offsets[0], offsets[1]) if offsets[0] and offsets[1] else None
    try:
        return get_frame(pixels, frame, extended_offsets=extended, number_of_frames=layout.n_frames)
    except (ValueError, IndexError) as error:
        name = type(error).__name__
        raise ImageError(
            SkipReason.MALFORMED, f"frame {frame + 1} of {layout.n_frames} not found ({name})"
        ) from None


def _native(pixels: bytes, parsed: Parsed, layout: Layout, frame: int) -> Samples:
    if layout.bits_allocated == 1:
        return _packed_bits(_swapped(pixels, parsed, layout), layout, frame)
    photometric = layout.photometric
    n_samples = layout.rows * layout.columns * layout.samples
    if photometric == "YBR_FULL_422" and len(pixels) < n_samples * layout.n_frames:
        return _subsampled(_swapped(pixels, parsed, layout), layout, frame)
    _check_length(pixels, layout.frame_bytes * layout.n_frames)
    kind = "f" if layout.is_float else "u"
    dtype = np.dtype(f"{'>' if parsed.big_endian else '<'}{kind}{layout.bits_allocated // 8}")
    raw = _swapped(pixels, parsed, layout)
    values = np.frombuffer(raw, dtype, n_samples, frame * layout.frame_bytes)
    values = values.astype(dtype.newbyteorder("="), copy=False)
    photometric = "YBR_FULL" if photometric == "YBR_FULL_422" else photometric
    shaped = _shaped(values, layout)
    if layout.is_float:
        return Samples(shaped, layout.bits_allocated, signed=True, photometric=photometric)
    return Samples(_stored_bits(shaped, layout), layout.bits_stored, layout.signed, photometric)


def _check_length(pixels: bytes, expected: int) -> None:
    if len(pixels) < expected:
        raise ImageError(SkipReason.TRUNCATED, f"{len(pixels)} bytes of pixels, {expected} are declared")


def _swapped(pixels: bytes, parsed: Parsed, layout: Layout) -> bytes:
    """Bytes in big-endian words are stored in swapped pairs; PS3.5 A.3."""
    if not parsed.big_endian or layout.bits_allocated > 8 or parsed.dataset[layout.keyword].VR != "OW":  # noqa: PLR2004
        return pixels
    even = pixels[: len(pixels) // 2 * 2]
    return np.frombuffer(even, "<u2").byteswap().tobytes() + pixels[len(even) :]


def _packed_bits(pixels: bytes, layout: Layout, frame: int) -> Samples:
    n_samples = layout.rows * layout.columns * layout.samples
    _check_length(pixels, (n_samples * layout.n_frames + 7) // 8)
    first = frame * n_samples
    octets = np.frombuffer(pixels, np.uint8)[first // 8 : (first + n_samples + 7) // 8]
    bits = np.unpackbits(octets, bitorder="little")[first % 8 : first % 8 + n_samples]
    return Samples(_shaped(bits, layout), 1, signed=False, photometric=layout.photometric)


def _subsampled(pixels: bytes, layout: Layout, frame: int) -> Samples:
    """Y1 Y2 Cb Cr a pair of pixels; PS3.3 C.7.6.3.1.2."""
    if layout.bits_allocated != 8 or layout.columns % 2:  # noqa: PLR2004 - the standard allows no other
        raise ImageError(SkipReason.UNSUPPORTED, f"YBR_FULL_422 of {layout.bits_allocated} bits")
    frame_bytes = layout.rows * layout.columns * 2
    _check_length(pixels, frame_bytes * layout.n_frames)
    quads = np.frombuffer(pixels, np.uint8, frame_bytes, frame * frame_bytes).reshape(layout.rows, -1, 4)
    values = np.empty((layout.rows, layout.columns, 3), np.uint8)
    values[..., 0] = quads[..., :2].reshape(layout.rows, layout.columns)
    values[..., 1] = np.repeat(quads[..., 2], 2, axis=1)
    values[..., 2] = np.repeat(quads[..., 3], 2, axis=1)
    return Samples(values, 8, signed=False, photometric="YBR_FULL")


def _shaped(values: NDArray[Sample], layout: Layout) -> NDArray[Sample]:
    if layout.samples == 1:
        return values.reshape(layout.rows, layout.columns)
    if layout.by_plane:
        return np.moveaxis(values.reshape(layout.samples, layout.rows, layout.columns), 0, -1)
    return values.reshape(layout.rows, layout.columns, layout.samples)


def _stored_bits(values: NDArray[Sample], layout: Layout) -> NDArray[Sample]:
    width = values.dtype.itemsize * 8
    if layout.bits_stored >= width:
        return values
    unsigned = values.view(f"u{values.dtype.itemsize}")
    shift = layout.high_bit + 1 - layout.bits_stored
    shifted = unsigned >> shift if 0 < shift < width else unsigned
    return shifted & shifted.dtype.type((1 << layout.bits_stored) - 1)
