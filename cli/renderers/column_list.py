"""The columns of an index: what a condition can ask for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from cbir.items.where import written_column, written_value
from cli.renderers.table import columns
from indexer.asking.column_info import ColumnInfo

_MAX_CHARACTERS = 60
_KINDS = {"text": "text", "number": "numbers", "truth": "true or false"}


def render_columns(found: Sequence[ColumnInfo], n_items: int) -> str:
    """A line a column: its name and values as a condition writes them, the most frequent first."""
    header = ["column", "holds", "known", "distinct", "values"]
    rows = [
        [
            written_column(each.name),
            " and ".join(_KINDS[kind] for kind in each.kinds),
            f"{each.n_known} of {n_items}",
            str(each.n_values),
            _values(each),
        ]
        for each in found
    ]
    return columns([header, *rows], keep=header)


def render_columns_json(found: Sequence[ColumnInfo], n_items: int) -> str:
    """The same as a document."""
    document = {
        "cbir": "columns",
        "version": 1,
        "items": n_items,
        "columns": [asdict(each) for each in found],
    }
    return json.dumps(document, indent=2) + "\n"


def _values(found: ColumnInfo) -> str:
    if found.bounds is not None and found.n_values > len(found.most):
        low, high = found.bounds
        return f"{low} to {high}"
    shown: list[str] = []
    for value, count in found.most:
        said = f"{written_value(value)} {count}"
        if shown and len(", ".join([*shown, said])) > _MAX_CHARACTERS:
            break
        shown.append(said if len(said) <= _MAX_CHARACTERS else said[:_MAX_CHARACTERS] + "…")
    return ", ".join(shown) + (", …" if len(shown) < found.n_values else "")
