"""BUSI: 780 breast ultrasound images of 600 women.

Layout: folders ``benign``, ``malignant`` and ``normal`` of ``benign (1).png``, with masks
``benign (1)_mask.png`` and ``_mask_1.png`` beside them, a lesion each; those of ``normal`` are empty.
Counts: Al-Dhabyani et al., Data in Brief 2020.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from cbir.items.datasets.files import Files
from cbir.items.datasets.release import Count, Dataset, Release, Row

_NAME = re.compile(r".*/(normal|benign|malignant)/\1 ?\((\d+)\)\.png", re.IGNORECASE)
_MASK = re.compile(r"(.*)_mask(?:_\d+)?\.png", re.IGNORECASE)
_PUBLISHED = {"normal": 133, "benign": 437, "malignant": 210}


def _read(files: Files) -> Release:
    rows = []
    masks = defaultdict(list)
    for path in files.ending(".png"):
        if match := _MASK.fullmatch(path):
            masks[match[1]].append((path,))
    for path in files.ending(".png"):
        if match := _NAME.fullmatch(path):
            label = match[1].lower()
            lesions = tuple(masks.get(path[: -len(".png")], ()))
            rows.append(Row(path, label=label, grade=list(_PUBLISHED).index(label), masks=lesions))
    labels = Counter(row.label for row in rows)
    counts = (
        Count("images", len(rows), 780),
        *(Count(label, labels[label], n) for label, n in _PUBLISHED.items()),
    )
    notes = (
        "the release does not say which images are of one woman: no split of it is one by patient",
        "the release holds duplicates (Pawłowska et al., Data in Brief 2023): audit any split of it",
    )
    return Release(tuple(rows), counts, notes)


BUSI = Dataset(
    title="BUSI",
    home="https://scholar.cu.edu.eg/?q=afahmy/pages/dataset",
    terms="see the release's page",
    read=_read,
)
