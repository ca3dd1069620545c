"""INbreast: 410 full-field digital mammograms of 115 cases.

Layout: ``INbreast.xls`` or ``INbreast.csv`` (semicolons), with Patient ID, Patient age, Laterality, View,
Acquisition date, File Name, ACR and Bi-Rads, where the patient is "removed";
``AllDICOMs/20586908_6c613a14b80a8591_MG_R_CC_ANON.dcm`` (file name, patient, side, view); and
``AllXML/20586908.xml`` (OsiriX regions). The images may be PNG or JPEG copies.
Counts: Moreira et al., Academic Radiology 2012.

The BI-RADS copies on Kaggle: folders ``Birads1`` … ``Birads5`` of ``20586908.png``, with or without the
table. Their folder says the grade, with 4a, 4b and 4c in 4, and 6 in 5; their names do not say the patient.
That layout is as its users' code reads it, not as a paper describes it.
"""

from __future__ import annotations

import plistlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from xml.parsers.expat import ExpatError

from cbir.errors import ItemsError
from cbir.items.datasets.files import Files, file_name, stem
from cbir.items.datasets.release import Count, Dataset, Release, Row, birads_grade, box

_COLUMNS = ("File Name", "Laterality", "View", "ACR", "Bi-Rads")
_IMAGE = re.compile(
    r".*/(\d{8})(?:_([0-9a-f]{16})_MG_([LR])_([A-Z]+)_ANON)?\.(?:dcm|png|jpe?g|tiff?)", re.IGNORECASE
)
_FOLDER = re.compile(r"bi-?rads[ _-]?([1-6])", re.IGNORECASE)
_VIEWS = {"ML": "MLO"}
_LESIONS = re.compile(r"mass|cluster|distortion|as+[iy]m+etry|e?spiculated region", re.IGNORECASE)
_DIGITS = re.compile(r"\d{8}")


def _read(files: Files) -> Release:
    matches = [match for path in files.paths if (match := _IMAGE.fullmatch(path))]
    table = _table(files, optional=any(_grade_of_folder(match[0]) for match in matches))
    regions = {stem(path): path for path in files.ending(".xml")}
    women = {match[1]: match[2].lower() for match in matches if match[2]}
    rows = tuple(
        _row(match, women.get(match[1]), table.get(match[1], {}), regions.get(match[1]))
        for match in matches
        if match[1] in table or _grade_of_folder(match[0])
    )
    there = {_number(row.path) for row in rows}
    return Release(rows, (Count("images", len(there), 410),), tuple(_notes(rows, there, table)))


def _table(files: Files, *, optional: bool) -> Mapping[str, dict[str, str]]:
    if files.sheets("INbreast"):
        rows = files.table("INbreast", _COLUMNS, sheet="Sheet1")
        return {row["File Name"]: row for row in rows if _DIGITS.fullmatch(row["File Name"])}
    if optional:
        return {}
    raise ItemsError(
        f"{files.folder} has neither INbreast.csv nor INbreast.xls, which say what the images show: they lie "
        "beside AllDICOMs."
    )


def _row(match: re.Match[str], woman: str | None, said: Mapping[str, str], regions: str | None) -> Row:
    birads = said.get("Bi-Rads") or _grade_of_folder(match[0]) or ""
    grade = birads_grade(birads)
    view = (said.get("View") or match[4] or "").upper()
    return Row(
        match[0],
        label=None if grade is None else str(grade),
        grade=grade,
        group=woman,
        view=_VIEWS.get(view, view) or None,
        side=(said.get("Laterality") or match[3] or "").upper() or None,
        density=said.get("ACR") or None,
        lesion_box=";".join(_lesions(regions)) or None if regions else None,
        more={"birads": birads.lower() or None},
    )


def _lesions(path: str) -> Iterator[str]:
    """The boxes of the regions that are lesions, not single calcifications, not the pectoral muscle."""
    try:
        images = plistlib.loads(Path(path).read_bytes(), fmt=plistlib.FMT_XML)["Images"]
        regions = [region for image in images for region in image["ROIs"]]
        for region in regions:
            points = [tuple(map(float, point.strip("() ").split(","))) for point in region["Point_px"]]
            if points and _LESIONS.fullmatch(str(region["Name"]).strip()):
                xs, ys = zip(*points, strict=True)
                yield box(min(xs), min(ys), max(xs), max(ys))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, ExpatError) as error:
        raise ItemsError(f"{path} is no OsiriX XML of regions. Copy it from the release again.") from error


def _notes(rows: Sequence[Row], there: set[str], table: Mapping[str, dict[str, str]]) -> Iterator[str]:
    if n_gone := len(table.keys() - there):
        yield f"{n_gone} images of the table are not there"
    if n_twice := len(rows) - len(there):
        yield f"{n_twice} images are there a second time, under another name or folder"
    if n_alone := sum(row.group is None for row in rows):
        yield f"{n_alone} names do not say the patient: a split by patient can't be made of them"
    if n_ungraded := sum(row.grade is None for row in rows):
        yield f"{n_ungraded} images have no BI-RADS of 1 to 6"


def _grade_of_folder(path: str) -> str | None:
    match = _FOLDER.fullmatch(path.split("/")[-2])
    return match[1] if match else None


def _number(path: str) -> str:
    return file_name(path)[:8]


INBREAST = Dataset(
    title="INbreast",
    home="https://doi.org/10.1016/j.acra.2011.09.014",
    terms="given by its authors on request; see the paper. Labels are BI-RADS, not histology",
    read=_read,
)
