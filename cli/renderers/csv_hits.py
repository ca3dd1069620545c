"""Hits as CSV, and as bare paths."""

from __future__ import annotations

import csv
import io

from cli.renderers.answer import Answer
from cli.renderers.prediction import prediction_cells
from cli.renderers.where import where

COLUMNS = ("rank", "score", "id", "path", "frame", "label", "group", "box")


def render_csv(answer: Answer) -> str:
    """A line a hit: the fixed columns, what the query is, then every metadata column of the hits by name."""
    said = {} if answer.predicted is None else prediction_cells(answer.predicted)
    extra = sorted({name for hit in answer.hits for name in hit.item.metadata} - {*COLUMNS, *said})
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow([*COLUMNS, *said, *extra])
    for hit in answer.hits:
        item = hit.item
        fixed = (hit.rank, f"{hit.score:.6f}", item.id, item.path, item.frame, item.label, item.group)
        writer.writerow([*fixed, where(hit), *said.values(), *(item.metadata.get(name) for name in extra)])
    return page.getvalue()


def render_paths(answer: Answer) -> str:
    """A path a line, best first, in the bytes of the file system."""
    return "".join(f"{hit.item.path}\n" for hit in answer.hits)
