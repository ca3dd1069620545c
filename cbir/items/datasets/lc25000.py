"""LC25000: 25,000 images of lung and colon under the microscope, five classes of 5,000.

Layout: ``lung_colon_image_set/lung_image_sets/lung_aca/*.jpeg`` and so on; the class is the folder.
Counts: Borkowski et al., arXiv 1912.12142, and the data set's page: 750 images of lung and 500 of colon, 250
of each class, were made into 25,000 by rotation and flipping with the package Augmentor. That rotates by any
angle; an audit sees the copies that were turned by quarters.
"""

from __future__ import annotations

from collections import Counter

from cbir.items.datasets.files import Files
from cbir.items.datasets.release import Count, Dataset, Release, Row

_CLASSES = {
    "colon_n": "benign",
    "colon_aca": "malignant",
    "lung_n": "benign",
    "lung_aca": "malignant",
    "lung_scc": "malignant",
}


def _read(files: Files) -> Release:
    rows = []
    for path in files.ending(".jpeg", ".jpg", ".png"):
        kind = path.split("/")[-2].lower()
        if kind in _CLASSES:
            organ, outcome = kind.split("_")[0], _CLASSES[kind]
            more = {"organ": organ, "outcome": outcome}
            rows.append(Row(path, label=kind, grade=int(outcome == "malignant"), more=more))
    labels = Counter(row.label for row in rows)
    counts = (
        Count("images", len(rows), 25_000),
        *(Count(kind, labels[kind], 5000) for kind in _CLASSES),
    )
    note = (
        "the images are turned and mirrored copies of 1,250, and the release says neither which nor of whom: "
        "every split of it leaks. Good for pre-training; no number measured on it means anything"
    )
    return Release(tuple(rows), counts, (note,))


LC25000 = Dataset(
    title="LC25000",
    home="https://github.com/tampapath/lung_colon_image_set",
    terms="free for research, as its authors say: see the release's page",
    read=_read,
)
