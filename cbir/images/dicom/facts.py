"""The allow-list: the only values of a DICOM file that reach ImageInfo."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING

from cbir.images.dicom.laterality import read_side, read_view
from cbir.images.dicom.values import identifier, number, word
from cbir.images.dicom.vocabulary import BODY_PARTS, MODALITIES, SEXES
from cbir.images.image import ImageInfo

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from cbir.images.dicom.layout import Layout
    from cbir.images.dicom.parse import Parsed
    from cbir.images.image import Presentation

_STANDARD_ROOT = "1.2.840.10008."
_AGE = re.compile(r"(\d{3})([DWMY])")
_PER_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12.0, "Y": 1.0}
_MAX_AGE_YEARS = 130
_MAX_SPACING_MM = 100
_HASH_BYTES = 16
_PRESENTATIONS: dict[str | None, Presentation] = {
    "FOR PROCESSING": "for_processing",
    "FOR PRESENTATION": "for_presentation",
}


def read_info(
    parsed: Parsed, layout: Layout, frame: int, hash_key: bytes | None
) -> tuple[ImageInfo, tuple[str, ...]]:
    """Gather what may be known about a frame, and notes on conflicts."""
    dataset = parsed.dataset
    side, side_notes = read_side(dataset, frame)
    view, view_notes = read_view(dataset)
    info = ImageInfo(
        format="dicom",
        width=layout.columns,
        height=layout.rows,
        bits=layout.bits_stored,
        n_frames=layout.n_frames,
        modality=_listed(word(dataset, "Modality"), MODALITIES),
        side=side,
        view=view,
        sex=_listed(word(dataset, "PatientSex"), SEXES),
        age_years=_age_years(dataset),
        body_part=_listed(word(dataset, "BodyPartExamined"), BODY_PARTS),
        photometric=layout.photometric,
        sop_class_uid=standard_uid(identifier(dataset, "SOPClassUID")),
        transfer_syntax_uid=standard_uid(parsed.transfer_syntax),
        pixel_spacing_mm=_spacing_mm(dataset),
        presentation=read_presentation(dataset),
        patient=_hashed(dataset, "PatientID", hash_key),
        study=_hashed(dataset, "StudyInstanceUID", hash_key),
        series=_hashed(dataset, "SeriesInstanceUID", hash_key),
        instance=_hashed(dataset, "SOPInstanceUID", hash_key),
    )
    return info, (*side_notes, *view_notes)


def read_presentation(dataset: Dataset) -> Presentation | None:
    """Presentation Intent Type, None when not said."""
    return _PRESENTATIONS.get(word(dataset, "PresentationIntentType"))


def standard_uid(uid: str | None) -> str | None:
    """The UID if it is registered in the DICOM standard, else None: any other may be somebody's."""
    from pydicom._uid_dict import UID_dictionary

    return uid if uid is not None and uid.startswith(_STANDARD_ROOT) and uid in UID_dictionary else None


def _listed(value: str | None, vocabulary: frozenset[str]) -> str | None:
    return value if value in vocabulary else None


def _age_years(dataset: Dataset) -> float | None:
    found = _AGE.fullmatch(word(dataset, "PatientAge") or "")
    if found is None:
        return None
    years = round(int(found[1]) / _PER_YEAR[found[2]], 2)
    return years if years <= _MAX_AGE_YEARS else None


def _spacing_mm(dataset: Dataset) -> float | None:
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        spacing = number(dataset, keyword)
        if spacing is not None and 0 < spacing <= _MAX_SPACING_MM:
            return spacing
    return None


def _hashed(dataset: Dataset, keyword: str, hash_key: bytes | None) -> str | None:
    value = identifier(dataset, keyword)
    if hash_key is None or value is None:
        return None
    return blake2b(
        value.encode("utf-8", "surrogateescape"), key=hash_key, digest_size=_HASH_BYTES
    ).hexdigest()
