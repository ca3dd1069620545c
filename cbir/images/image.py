"""An image as read: pixels, what full white is, and what may be known about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cbir.types import Scalar

ImageFormat = Literal["dicom", "png", "jpeg", "tiff", "webp", "bmp", "gif", "pnm", "slide"]
Side = Literal["L", "R"]
Presentation = Literal["for_processing", "for_presentation"]
Pixels = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]

_NOT_METADATA = frozenset({"patient", "series", "instance"})


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a file says about its image, from an allow-list.

    Every text is a word of a closed vocabulary, a validated DICOM UID of the standard, or a keyed hash:
    free text from a file never gets here. Unknown is None.

    Args:
        format: what the bytes are, by content.
        width: of the pixels as read, EXIF orientation applied.
        height: likewise.
        bits: meaningful bits a sample (BitsStored in DICOM).
        n_frames: frames or pages in the file, not only those read.
        modality: a defined term of Modality (0008,0060), such as ``MG``.
        side: ``L`` or ``R``.
        view: a code of DICOM CID 4014, such as ``CC`` or ``MLO``.
        sex: ``F``, ``M`` or ``O``.
        age_years: from Patient's Age; fractions below two years.
        body_part: a defined term of Body Part Examined.
        photometric: Photometric Interpretation as declared.
        sop_class_uid: of the standard (1.2.840.10008…).
        transfer_syntax_uid: likewise.
        pixel_spacing_mm: between rows, at the patient or else the detector.
        presentation: Presentation Intent Type.
        patient: keyed hash of Patient ID; None without a key, as the three below.
        study: keyed hash of Study Instance UID.
        series: keyed hash of Series Instance UID.
        instance: keyed hash of SOP Instance UID.
        mpp: microns a pixel, of a whole slide's level 0.
        objective_power: of the scanner that made a slide.
        vendor: OpenSlide's word for a slide's format, such as ``aperio``.
    """

    format: ImageFormat
    width: int
    height: int
    bits: int
    n_frames: int = 1
    modality: str | None = None
    side: Side | None = None
    view: str | None = None
    sex: str | None = None
    age_years: float | None = None
    body_part: str | None = None
    photometric: str | None = None
    sop_class_uid: str | None = None
    transfer_syntax_uid: str | None = None
    pixel_spacing_mm: float | None = None
    presentation: Presentation | None = None
    patient: str | None = None
    study: str | None = None
    series: str | None = None
    instance: str | None = None
    mpp: float | None = None
    objective_power: float | None = None
    vendor: str | None = None

    def metadata(self) -> dict[str, Scalar]:
        """Flat values for the catalog: what is known; of the hashes the study's alone, which makes cases."""
        values = {name: getattr(self, name) for name in self.__slots__ if name not in _NOT_METADATA}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Image:
    """One frame, ready for preprocessing.

    Args:
        pixels: (height, width) grey or (height, width, 3) RGB; uint8, uint16 or float32; black is 0.
        white: the value of full white: 255 for uint8, 65535 for uint16, 1.0 for float32.
        frame: from 0, in the file.
        info: what the file says about it.
        notes: what a policy or a conversion did, such as ``frame 12 of 25 (middle)``;
            never text from the file.
    """

    pixels: Pixels
    white: float
    frame: int
    info: ImageInfo
    notes: tuple[str, ...] = ()
