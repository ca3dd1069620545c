"""The images of a run as CSV: which part each was in, and how well those of the test part were answered."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING

from cbir.evaluation.summary import values_of
from cbir.training.run.measuring import K, items_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cbir.evaluation.protocol import Study
    from cbir.training.material import Material
    from cbir.training.run.measuring import Measured

TEST_COLUMNS = ("path", "label", "group", f"precision_at_{K}", f"start_precision_at_{K}")
"""Of the test part's table; the last two are of the trained extractor and of the one that it started from."""


def table_of_split(material: Material, contents: Sequence[str]) -> str:
    """Every image with its label, group and part.

    Args:
        material: what was trained on.
        contents: (n_images,), each file's sha256.
    """
    rows = zip(
        material.images, contents, material.codes.tolist(), material.groups, material.parts, strict=True
    )
    return _csv(
        ("path", "sha256", "label", "group", "split"),
        (
            [image.path, digest, material.classes[code], group, part]
            for image, digest, code, group, part in rows
        ),
    )


def table_of_test(material: Material, measured: Measured) -> str:
    """Every image of the test part with its P@10 before and after; empty where nothing could answer it.

    The same protocol as the card's: the mean over the classes' means of a column is its macro P@10.

    Args:
        material: what was trained on.
        measured: its test part.
    """
    items = items_of(material)
    after, before = (_by_id(study) for study in (measured.study, measured.before))
    rows = (
        [each.path, each.label, each.group, after.get(each.id, ""), before.get(each.id, "")]
        for each in (items[row] for row in material.rows("test"))
    )
    return _csv(TEST_COLUMNS, rows)


def _by_id(study: Study) -> dict[str, float | str]:
    values = values_of(study, "precision").tolist()
    return {
        each: "" if math.isnan(value) else value for each, value in zip(study.query_ids, values, strict=True)
    }


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
