"""BreakHis: 7,909 breast biopsies under the microscope, of 82 patients, at four magnifications.

Layout: ``SOB_B_A-14-22549AB-40-001.png`` in any folders: procedure, benign or malignant, type, year and
slide, magnification, number. Subsets without the magnification (``SOB_B_A_14-22549AB_0.png``) are read too.
Counts: the table on the release's page (Spanhol et al., IEEE TBME 2016).

The slide id is what the authors call a patient. Ids that differ in their letters alone (14134, 14134E) may be
blocks of one biopsy, so that the column ``biopsy``, without the letters, is the more careful group.
"""

from __future__ import annotations

import re
from collections import Counter

from cbir.items.datasets.files import Files
from cbir.items.datasets.release import Count, Dataset, Release, Row

_NAME = re.compile(
    r".*/SOB_([BM])_([A-Z]{1,2})[-_](\d+-\d+)([A-Z]*)[-_](?:(40|100|200|400)-)?\d+\.png", re.IGNORECASE
)
_LABELS = {"B": "benign", "M": "malignant"}
_PUBLISHED = {40: 1995, 100: 2081, 200: 2013, 400: 1820}


def _read(files: Files) -> Release:
    rows = tuple(
        Row(
            path,
            label=_LABELS[match[1].upper()],
            grade=int(match[1].upper() == "M"),
            group=match[3] + match[4],
            magnification=int(match[5]) if match[5] else None,
            more={"subtype": match[2].upper(), "biopsy": match[3]},
        )
        for path in files.ending(".png")
        if (match := _NAME.fullmatch(path))
    )
    labels = Counter(row.label for row in rows)
    magnifications = Counter(row.magnification for row in rows)
    patients = {(row.label, row.more["subtype"], row.group) for row in rows}
    counts = (
        Count("images", len(rows), 7909),
        Count("patients", len(patients), 82),
        Count("benign", labels["benign"], 2480),
        Count("malignant", labels["malignant"], 5429),
        *(Count(f"at {times}×", magnifications[times], n) for times, n in _PUBLISHED.items()),
    )
    notes = []
    if magnifications[None]:
        notes.append(f"{magnifications[None]} names do not say the magnification")
    if len({row.more["biopsy"] for row in rows}) < len({row.group for row in rows}):
        notes.append("some slides may be of one biopsy: --group biopsy is the more careful group")
    return Release(rows, counts, tuple(notes))


BREAKHIS = Dataset(
    title="BreakHis",
    home="https://web.inf.ufpr.br/vri/databases/breast-cancer-histopathological-database-breakhis/",
    terms="research: see the release's page",
    read=_read,
)
