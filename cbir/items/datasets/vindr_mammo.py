"""VinDr-Mammo: 5,000 screening exams, four digital mammograms each.

Layout: ``breast-level_annotations.csv``, ``finding_annotations.csv`` and
``images/<study_id>/<image_id>.dicom``; PNG copies under the same names too.
Counts and columns: Nguyen et al., Scientific Data 2023, and the release's page (version 1.0.0).

The release names exams, not women: the group is the exam.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from cbir.errors import ItemsError
from cbir.items.datasets.files import Files, stem
from cbir.items.datasets.release import Count, Dataset, Release, Row, birads_grade, box

_BREASTS = (
    "study_id", "image_id", "laterality", "view_position", "breast_birads", "breast_density", "split",
)  # fmt: skip
_FINDINGS = ("image_id", "xmin", "ymin", "xmax", "ymax")
_SUFFIXES = (".dicom", ".dcm", ".png")
_SPLITS = {"training": "train"}


def _read(files: Files) -> Release:
    breasts = files.table("breast-level_annotations", _BREASTS)
    has_findings = bool(files.sheets("finding_annotations"))
    findings = files.table("finding_annotations", _FINDINGS) if has_findings else []
    boxes = defaultdict(list)
    for each in findings:
        if each["xmin"]:
            boxes[each["image_id"]].append(_box(each))
    paths = {stem(path): path for path in files.ending(*_SUFFIXES)}
    rows = tuple(
        _row(paths[each["image_id"]], each, boxes.get(each["image_id"], []))
        for each in breasts
        if each["image_id"] in paths
    )
    counts = (
        Count("images", len(rows), 20_000),
        Count("exams", len({row.group for row in rows}), 5000),
        Count("images for training", sum(row.more["split"] == "train" for row in rows), 16_000),
    )
    notes = ["the group is the exam: the release does not say which exams are of one woman"]
    if len(rows) < len(breasts):
        notes.append(f"{len(breasts) - len(rows)} of the {len(breasts)} images in the table are not there")
    if not has_findings:
        notes.append("finding_annotations.csv is not there: no boxes of lesions")
    return Release(rows, counts, tuple(notes))


def _box(finding: Mapping[str, str]) -> str:
    corners = [finding[name] for name in _FINDINGS[1:]]
    try:
        x0, y0, x1, y1 = map(float, corners)
        return box(x0, y0, x1, y1)
    except (ValueError, OverflowError):
        where = f"finding_annotations.csv, image {finding['image_id']}"
        raise ItemsError(f"{where}: the corners of a box are {', '.join(corners)}.") from None


def _row(path: str, said: Mapping[str, str], boxes: list[str]) -> Row:
    grade = birads_grade(said["breast_birads"])
    return Row(
        path,
        label=None if grade is None else str(grade),
        grade=grade,
        group=said["study_id"],
        view=said["view_position"] or None,
        side=said["laterality"] or None,
        density=said["breast_density"].upper().removeprefix("DENSITY").strip() or None,
        lesion_box=";".join(boxes) or None,
        more={"split": _SPLITS.get(said["split"], said["split"])},
    )


VINDR_MAMMO = Dataset(
    title="VinDr-Mammo",
    home="https://www.physionet.org/content/vindr-mammo/",
    terms="restricted: PhysioNet's data use agreement, to be signed. Labels are BI-RADS, not histology",
    read=_read,
)
