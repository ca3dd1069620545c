"""Which side and which view: several attributes may say, and may disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from cbir.images.dicom.functional import macro
from cbir.images.dicom.values import items, word, words
from cbir.images.dicom.vocabulary import MAMMOGRAPHY_VIEWS, SIDES, VIEW_CODES, VIEWS

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from cbir.images.image import Side


def read_side(dataset: Dataset, frame: int) -> tuple[Side | None, tuple[str, ...]]:
    """The side, None when unknown or both; and a note on a conflict.

    Frame Laterality comes before Image Laterality before Laterality.
    """
    anatomy = macro(dataset, frame, "FrameAnatomySequence")
    said = {
        "frame laterality": word(anatomy, "FrameLaterality") if anatomy is not None else None,
        "image laterality": word(dataset, "ImageLaterality"),
        "laterality": word(dataset, "Laterality"),
    }
    side, notes = _settled("side", {name: value for name, value in said.items() if value in SIDES})
    return cast("Side | None", side), notes


def read_view(dataset: Dataset) -> tuple[str | None, tuple[str, ...]]:
    """The view, None when unknown; and a note on a conflict.

    View Position comes before View Code Sequence before Patient Orientation. The last holds the view itself
    in some scanned mammograms; in others its two directions tell a CC for certain, and no more.
    """
    codes = items(dataset, "ViewCodeSequence")
    position = word(dataset, "ViewPosition")
    said = {
        "view position": position if position in VIEWS else None,
        "view code": VIEW_CODES.get(word(codes[0], "CodeValue") or "") if codes else None,
        "patient orientation": _view_by_orientation(dataset),
    }
    return _settled("view", {name: value for name, value in said.items() if value is not None})


def _view_by_orientation(dataset: Dataset) -> str | None:
    said = words(dataset, "PatientOrientation")
    if len(said) == 1 and said[0] in MAMMOGRAPHY_VIEWS:
        return said[0]
    is_mammogram = word(dataset, "Modality") == "MG"
    # Rows run between chest wall and nipple, columns between the sides and not towards the feet.
    is_cc = len(said) > 1 and said[0] in {"A", "P"} and said[1] in SIDES
    return "CC" if is_mammogram and is_cc and "ViewPosition" not in dataset else None


def _settled(what: str, said: dict[str, str | None]) -> tuple[str | None, tuple[str, ...]]:
    """The first answer, and a note where another differs; every word is of a closed vocabulary."""
    if len(set(said.values())) <= 1:
        return next(iter(said.values()), None), ()
    answers = ", ".join(f"{name} {value}" for name, value in said.items())
    return next(iter(said.values())), (f"{what} conflict: {answers}; the first taken",)
