"""The process that reads a workbook: its reader aborts on hostile ones, and takes this process alone along.

Prints JSON: the sheets' names, and the rows of the one that was asked for as text.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys

_MAX_CELLS = 2_000_000
_MEMORY_BYTES = 2 << 30
_CPU_S = 60


def main(path: str, wanted: str) -> None:
    """Print a sheet.

    Args:
        path: of the workbook.
        wanted: the sheet's name, in any case; empty, or that of none, takes the only sheet there is.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    from python_calamine import CalamineWorkbook

    workbook = CalamineWorkbook.from_path(path)
    names = workbook.sheet_names
    chosen = [name for name in names if name.strip().lower() == wanted.lower()] or names
    if len(chosen) != 1:
        json.dump({"sheets": names}, sys.stdout)
        return
    sheet = workbook.get_sheet_by_name(chosen[0])
    last_row, last_column = sheet.end or (0, 0)
    if (n_cells := (last_row + 1) * (last_column + 1)) > _MAX_CELLS:
        json.dump({"sheets": names, "n_cells": n_cells}, sys.stdout)
        return
    rows = [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    json.dump({"sheets": names, "rows": rows}, sys.stdout)


def _text(cell: object) -> str:
    """As a CSV export would have it; whole numbers without a point, and dates as ISO 8601."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell)
