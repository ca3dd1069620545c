"""A study by somebody else's definition, as a table of text and as plain values of a JSON document."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cbir.evaluation.definitions import DefinedRow, Definition
from cbir.evaluation.plain import plain_number
from cli.renderers.table import columns


def render_definition(definition: Definition, rows: Sequence[DefinedRow]) -> str:
    """The numbers, ours beside them, and what differs."""
    head = ("measure", "mean", "value", "95 % interval", "with the query's group", "ours")
    table = [head, *(_cells(row) for row in rows)]
    differs = "".join(f"- {each}\n" for each in definition.differs)
    return (
        f"by the definition of {definition.title}\n{columns(table, keep=head)}"
        f"what differs from ours:\n{differs}source: {definition.source}\n"
    )


def definition_values(definition: Definition, rows: Sequence[DefinedRow]) -> dict[str, object]:
    """The same as plain values; null where a number does not apply."""
    return {
        "name": definition.name,
        "title": definition.title,
        "source": definition.source,
        "differs": list(definition.differs),
        "measures": [
            {
                "name": row.name,
                "mean": row.mean,
                "value": plain_number(row.value),
                "interval": None if row.interval is None else [row.interval.low, row.interval.high],
                "with_group": plain_number(row.with_group),
                "ours": plain_number(row.ours),
                "n_queries": row.n_queries,
            }
            for row in rows
        ],
    }


def _cells(row: DefinedRow) -> tuple[str, ...]:
    span = "-" if row.interval is None else f"{row.interval.low:.4f} – {row.interval.high:.4f}"
    return row.name, row.mean, _text(row.value), span, _text(row.with_group), _text(row.ours)


def _text(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}"
