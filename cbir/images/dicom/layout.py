"""How a DICOM object lays out its pixels, checked before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cbir.errors import ImageError, SkipReason
from cbir.images.dicom.values import integer, word
from cbir.images.dicom.vocabulary import PHOTOMETRICS

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from cbir.images.dicom.parse import Parsed

PixelKeyword = Literal["PixelData", "FloatPixelData", "DoubleFloatPixelData"]

_FLOAT_BITS: dict[PixelKeyword, int] = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}
_BITS_ALLOCATED = frozenset({1, 8, 16, 32, 64})
_MAX_SIDE_PX = 65535


@dataclass(frozen=True, slots=True)
class Layout:
    """The pixel module in validated numbers.

    Args:
        keyword: the element that holds the pixels.
        rows: of a frame.
        columns: of a frame.
        samples: 1 or 3.
        photometric: of PHOTOMETRICS.
        bits_allocated: 1, 8, 16, 32 or 64.
        bits_stored: up to bits_allocated.
        high_bit: of the stored bits, from 0.
        signed: two's complement.
        by_plane: RRR…GGG…BBB… rather than RGBRGB….
        n_frames: at least 1.
        notes: what had to be assumed.
    """

    keyword: PixelKeyword
    rows: int
    columns: int
    samples: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    by_plane: bool
    n_frames: int
    notes: tuple[str, ...] = ()

    @property
    def frame_bytes(self) -> int:
        """Of a decoded frame; a bit takes a byte once it is unpacked."""
        return self.rows * self.columns * self.samples * max(1, self.bits_allocated // 8)

    @property
    def is_float(self) -> bool:
        """Whether the samples are floating-point numbers."""
        return self.keyword != "PixelData"


def read_layout(parsed: Parsed) -> Layout:
    """Validate the pixel module.

    Raises:
        ImageError: no pixels, cut off before them, or a layout that is impossible or unsupported.
    """
    dataset = parsed.dataset
    keyword = _pixel_keyword(parsed)
    rows, columns = integer(dataset, "Rows") or 0, integer(dataset, "Columns") or 0
    if not (0 < rows <= _MAX_SIDE_PX and 0 < columns <= _MAX_SIDE_PX):
        raise ImageError(SkipReason.MALFORMED, f"{rows} rows and {columns} columns")
    notes: list[str] = []
    samples = integer(dataset, "SamplesPerPixel")
    if samples is None:
        samples = 1
        notes.append("samples per pixel missing: taken as 1")
    allocated, stored, high = _bits(dataset, keyword)
    n_frames = integer(dataset, "NumberOfFrames")
    if n_frames is None and "NumberOfFrames" in dataset:
        notes.append("number of frames unreadable: taken as 1")
    return Layout(
        keyword=keyword,
        rows=rows,
        columns=columns,
        samples=samples,
        photometric=_photometric(dataset, samples, notes),
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=high,
        signed=integer(dataset, "PixelRepresentation") == 1,
        by_plane=integer(dataset, "PlanarConfiguration") == 1 and samples > 1,
        n_frames=max(1, n_frames or 1),
        notes=tuple(notes),
    )


def _pixel_keyword(parsed: Parsed) -> PixelKeyword:
    keywords: tuple[PixelKeyword, ...] = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
    present = next((keyword for keyword in keywords if keyword in parsed.dataset), None)
    if present is not None and "Rows" in parsed.dataset:
        return present
    if parsed.cut_short:
        raise ImageError(SkipReason.TRUNCATED, "the data set ends before its pixels")
    raise ImageError(SkipReason.NO_PIXELS, "a DICOM object without an image")


def _bits(dataset: Dataset, keyword: PixelKeyword) -> tuple[int, int, int]:
    if keyword in _FLOAT_BITS:
        return _FLOAT_BITS[keyword], _FLOAT_BITS[keyword], _FLOAT_BITS[keyword] - 1
    allocated = integer(dataset, "BitsAllocated") or 0
    if allocated not in _BITS_ALLOCATED:
        raise ImageError(SkipReason.UNSUPPORTED, f"{allocated} bits allocated; 1, 8, 16, 32 and 64 are read")
    stored = integer(dataset, "BitsStored") or allocated
    if not 0 < stored <= allocated:
        raise ImageError(SkipReason.MALFORMED, f"{stored} bits stored in {allocated} allocated")
    high = integer(dataset, "HighBit")
    return allocated, stored, high if high is not None and stored - 1 <= high < allocated else stored - 1


def _photometric(dataset: Dataset, samples: int, notes: list[str]) -> str:
    declared = word(dataset, "PhotometricInterpretation")
    if declared in PHOTOMETRICS and PHOTOMETRICS[declared] == samples:
        return declared
    if declared is None and samples in {1, 3}:
        assumed = "MONOCHROME2" if samples == 1 else "RGB"
        notes.append(f"photometric interpretation missing: taken as {assumed}")
        return assumed
    named = declared if declared in PHOTOMETRICS else "unknown"
    raise ImageError(
        SkipReason.UNSUPPORTED, f"photometric interpretation {named} with {samples} samples a pixel"
    )
