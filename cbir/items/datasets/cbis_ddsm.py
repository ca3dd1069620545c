"""CBIS-DDSM: scanned film mammograms with masses and calcifications, of 1,566 women.

Layout: ``mass_case_description_train_set.csv`` and its three sisters; an abnormality a row; and the images as
TCIA's retriever lays them, below ``Mass-Training_P_00001_LEFT_CC/…/``, or as JPEG below folders named for the
series (a copy on Kaggle). Only full mammograms become rows. The mask of an abnormality lies with its crop
below ``Mass-Training_P_00001_LEFT_CC_1/…/``, in one series or in two, and in places the tables name the one
for the other: the mask is the file that has two values and the size of the mammogram. The tables of masses
say ``breast_density``, those of calcifications ``breast density``.
Counts: the collection's page at TCIA for the women. The abnormalities are the rows of the tables, which Lee
et al., Scientific Data 2017, describe, but count by cases. Others who counted them have the same: 1,318
masses for training (1,198 and 120 for validation) and 378 for testing in PMC6872953; 1,546 and 326
calcifications, and 3,568 abnormalities of 3,103 mammograms in all, in public inspections of the tables.

The patient is ``P_00001``; in DICOM, PatientID is another one for each view, and must not be a group.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from cbir.errors import ItemsError
from cbir.items.datasets.files import Files
from cbir.items.datasets.release import Count, Dataset, Release, Row, birads_grade

_TABLES = {
    "mass_case_description_train_set": ("train", 1318),
    "mass_case_description_test_set": ("test", 378),
    "calc_case_description_train_set": ("train", 1546),
    "calc_case_description_test_set": ("test", 326),
}
_COLUMNS = (
    "patient_id", "left or right breast", "image view", "abnormality type", "assessment", "pathology",
    "image file path", "cropped image file path", "ROI mask file path",
)  # fmt: skip
_LABELS = {"BENIGN": "benign", "BENIGN_WITHOUT_CALLBACK": "benign", "MALIGNANT": "malignant"}
_SIDES = {"LEFT": "L", "RIGHT": "R"}
_CASE = re.compile(r"(Mass|Calc)-(Training|Test)_P_\d{5}_(LEFT|RIGHT)_[A-Z]+(_\d+)?")
_REGION_PATHS = ("ROI mask file path", "cropped image file path")
_Abnormality = Mapping[str, str]


def _read(files: Files) -> Release:
    counts, cases, notes = [], defaultdict(list), []
    if not any(files.sheets(name) for name in _TABLES):
        raise ItemsError(f"{files.folder} has none of CBIS-DDSM's tables, such as {next(iter(_TABLES))}.csv.")
    for name, (split, published) in _TABLES.items():
        rows = files.table(name, _COLUMNS) if files.sheets(name) else []
        counts.append(Count(f"abnormalities in {name}.csv", len(rows), published))
        for row in rows:
            cases[row["image file path"]].append({**row, "split": split})
    women = {row["patient_id"] for each in cases.values() for row in each}
    by_case, by_series = _index(files.ending(".dcm", ".jpg", ".jpeg", ".png"))
    found = {key: _find(key, by_case, by_series) for key in cases}
    rows_found = tuple(
        _row(path, cases[key], tuple(_masks(each, by_case, by_series) for each in cases[key]))
        for key, path in found.items()
        if path
    )
    if n_gone := len(cases) - len(rows_found):
        notes.append(f"{n_gone} of the {len(cases)} full mammograms in the tables are not there")
    notes += _crossing(rows_found)
    return Release(rows_found, (Count("women in the tables", len(women), 1566), *counts), tuple(notes))


def _index(paths: Sequence[str]) -> tuple[Mapping[str, list[str]], Mapping[str, list[str]]]:
    """Image files by the case folder that they are below, and by the folder that they are in."""
    by_case, by_series = defaultdict(list), defaultdict(list)
    for path in paths:
        parts = path.split("/")
        by_series[parts[-2]].append(path)
        for part in parts[:-1]:
            if _CASE.fullmatch(part):
                by_case[part].append(path)
    return by_case, by_series


def _find(key: str, by_case: Mapping[str, list[str]], by_series: Mapping[str, list[str]]) -> str | None:
    """The one file of a full mammogram; None if there is not one."""
    candidates = _files(key, by_case, by_series)
    return candidates[0] if len(candidates) == 1 else None


def _masks(
    said: _Abnormality, by_case: Mapping[str, list[str]], by_series: Mapping[str, list[str]]
) -> tuple[str, ...]:
    """The files of which one is the mask of an abnormality: the tables swap masks and crops."""
    files = (path for name in _REGION_PATHS for path in _files(said[name], by_case, by_series))
    return tuple(dict.fromkeys(files))


def _files(key: str, by_case: Mapping[str, list[str]], by_series: Mapping[str, list[str]]) -> list[str]:
    """The files of a series, by its folder, else by the case that it is of."""
    parts = key.split("/")
    series = by_series.get(parts[-2], []) if len(parts) > 1 else []
    return series or by_case.get(parts[0], [])


def _row(path: str, abnormalities: Sequence[_Abnormality], masks: tuple[tuple[str, ...], ...]) -> Row:
    """An image with several abnormalities is malignant if one is, and has the highest of their BI-RADS."""
    first = abnormalities[0]
    labels = {_label(path, each["pathology"]) for each in abnormalities}
    density = first.get("breast_density") or first.get("breast density") or "0"
    grades = [grade for each in abnormalities if (grade := birads_grade(each["assessment"])) is not None]
    kinds = dict.fromkeys(each["abnormality type"] for each in abnormalities)
    return Row(
        path,
        label=max(labels),
        grade=max(grades, default=None),
        group=first["patient_id"],
        view=first["image view"] or None,
        side=_SIDES.get(first["left or right breast"].upper()),
        density=density if density != "0" else None,
        masks=masks,
        more={"abnormality": ";".join(kinds), "n_abnormalities": len(abnormalities), "split": first["split"]},
    )


def _label(path: str, pathology: str) -> str:
    if pathology not in _LABELS:
        raise ItemsError(f"{path}: the pathology is {pathology!r}, which CBIS-DDSM does not have.")
    return _LABELS[pathology]


def _crossing(rows: Sequence[Row]) -> Iterator[str]:
    splits = defaultdict(set)
    for row in rows:
        splits[row.group].add(row.more["split"])
    if n_crossing := sum(len(each) > 1 for each in splits.values()):
        yield (
            f"{n_crossing} women are in the official training and test set both: audit the split, or make "
            "one of your own: cbir items split --column NAME"
        )


CBIS_DDSM = Dataset(
    title="CBIS-DDSM",
    home="https://www.cancerimagingarchive.net/collection/cbis-ddsm/",
    terms="CC BY 3.0, with TCIA's citation",
    read=_read,
)
