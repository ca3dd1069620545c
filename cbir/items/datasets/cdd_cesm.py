"""CDD-CESM: 2,006 contrast-enhanced mammograms of 326 women, low-energy and subtracted.

Layout: ``Low energy images of CDD-CESM/P1_L_DM_MLO.jpg``, ``Subtracted images of CDD-CESM/P1_L_CM_MLO.jpg``,
the sheet ``all`` of ``Radiology-manual-annotations.xlsx`` (or that, saved as CSV), and
``Radiology_hand_drawn_segmentations_v2.csv`` (regions of the VGG annotator).
Counts: Khaled et al., Scientific Data 2022.

Several findings in one image stand as ``4$2``: the highest is taken. Density is given with the low-energy
images alone: the subtracted ones take that of the same breast.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence

from cbir.errors import ItemsError
from cbir.items.datasets.files import Files, stem
from cbir.items.datasets.release import Count, Dataset, Release, Row, birads_grade, box

_BOOK, _SHEET = "Radiology-manual-annotations", "all"
_REGIONS = "Radiology_hand_drawn_segmentations_v2"
_PATHOLOGY, _DENSITY = "Pathology Classification/ Follow up", "Breast density (ACR)"
_COLUMNS = ("Image_name", "Patient_ID", "Side", "Type", "View", "BIRADS", _DENSITY, _PATHOLOGY)
_MODALITIES = {"DM": "low energy", "CESM": "subtracted", "CM": "subtracted"}
_LABELS = ("normal", "benign", "malignant")


def _read(files: Files) -> Release:
    sheet = _sheet(files)
    densities = {(row["Patient_ID"], row["Side"]): d for row in sheet if (d := _density(row[_DENSITY]))}
    boxes = _boxes(files)
    paths = {stem(path): path for path in files.ending(".jpg", ".jpeg", ".png")}
    rows: dict[str, Row] = {}
    for said in sheet:
        name = stem(said["Image_name"])
        if name in paths and name not in rows:
            density = _density(said[_DENSITY]) or densities.get((said["Patient_ID"], said["Side"]))
            rows[name] = _row(paths[name], said, density, boxes.get(name, []))
    modalities = [row.more["modality"] for row in rows.values()]
    counts = (
        Count("images", len(rows), 2006),
        *(
            Count(f"{name} images", modalities.count(name), 1003)
            for name in dict.fromkeys(_MODALITIES.values())
        ),
        Count("women", len({row.group for row in rows.values()}), 326),
    )
    notes = []
    if n_gone := len({stem(said["Image_name"]) for said in sheet}) - len(rows):
        notes.append(f"{n_gone} images of the sheet are not there")
    if not boxes:
        notes.append(f"{_REGIONS}.csv is not there: no boxes of lesions")
    return Release(tuple(rows.values()), counts, tuple(notes))


def _sheet(files: Files) -> list[dict[str, str]]:
    if not files.sheets(_BOOK):
        raise ItemsError(f"{files.folder} has no {_BOOK}.xlsx, which says what the images show.")
    return files.table(_BOOK, _COLUMNS, sheet=_SHEET)


def _row(path: str, said: Mapping[str, str], density: str | None, boxes: Sequence[str]) -> Row:
    label = said[_PATHOLOGY].lower()
    if label not in _LABELS:
        raise ItemsError(f"{path}: the pathology is {said[_PATHOLOGY]!r}; CDD-CESM has {', '.join(_LABELS)}.")
    grades = [grade for each in said["BIRADS"].split("$") if (grade := birads_grade(each)) is not None]
    return Row(
        path,
        label=label,
        grade=max(grades, default=None),
        group=f"P{said['Patient_ID'].upper().removeprefix('P')}",
        view=said["View"].upper() or None,
        side=said["Side"][:1].upper() or None,
        density=density,
        lesion_box=";".join(boxes) or None,
        more={
            "birads": said["BIRADS"] or None,
            "modality": _MODALITIES.get(said["Type"].upper(), said["Type"]),
        },
    )


def _boxes(files: Files) -> Mapping[str, list[str]]:
    boxes = defaultdict(list)
    if files.sheets(_REGIONS):
        for region in files.table(_REGIONS, ("#filename", "region_shape_attributes")):
            try:
                found = _shape_box(json.loads(region["region_shape_attributes"] or "{}"))
            except (ValueError, KeyError, TypeError, OverflowError) as error:
                where = f"{_REGIONS}.csv: a region of {region['#filename']}"
                raise ItemsError(f"{where} can't be read.") from error
            if found:
                boxes[stem(region["#filename"])].append(found)
    return boxes


def _shape_box(shape: Mapping[str, object]) -> str | None:
    """The box of a VGG shape; points and what has no extent have none."""
    numbers = {key: float(value) for key, value in shape.items() if isinstance(value, int | float)}
    xs, ys = shape.get("all_points_x"), shape.get("all_points_y")
    if isinstance(xs, list) and isinstance(ys, list) and xs and ys:
        return box(min(xs), min(ys), max(xs), max(ys))
    if "width" in numbers:
        x, y = numbers["x"], numbers["y"]
        return box(x, y, x + numbers["width"], y + numbers["height"])
    rx, ry = numbers.get("r", numbers.get("rx")), numbers.get("r", numbers.get("ry"))
    if rx is None or ry is None:
        return None
    cx, cy = numbers["cx"], numbers["cy"]
    return box(cx - rx, cy - ry, cx + rx, cy + ry)


def _density(text: str) -> str | None:
    return text.upper() if text.upper() in {"A", "B", "C", "D"} else None


CDD_CESM = Dataset(
    title="CDD-CESM",
    home="https://www.cancerimagingarchive.net/collection/cdd-cesm/",
    terms="CC BY 4.0, with TCIA's citation",
    read=_read,
)
