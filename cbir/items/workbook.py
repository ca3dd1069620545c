"""A sheet of a workbook: .xlsx, .xls or .ods."""

from __future__ import annotations

import json
import subprocess
import sys

from cbir.errors import ItemsError

WORKBOOK_SUFFIXES = (".xlsx", ".xls", ".ods")

_TIMEOUT_S = 120
_MAIN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from cbir.items.workbook_process import main; main(sys.argv[2], sys.argv[3])"
)


def read_workbook(path: str, sheet: str | None = None) -> list[list[str]]:
    """Read the cells of a sheet as text, in a process of its own that may die of them.

    Args:
        path: of the workbook.
        sheet: its name, in any case; a workbook's only sheet may have another.

    Returns:
        Rows of equal length, from the first one on, empty ones too; an empty cell is ``""``.

    Raises:
        ItemsError: no workbook, one that does harm, or one without such a sheet.
    """
    command = [sys.executable, "-I", "-c", _MAIN, json.dumps(sys.path), path, sheet or ""]
    hint = "Save its table as CSV under the same name."
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
        said = json.loads(done.stdout) if done.returncode == 0 else {}
    except (OSError, ValueError, subprocess.TimeoutExpired):
        said = {}
    if "rows" in said:
        rows: list[list[str]] = said["rows"]
        return rows
    if "n_cells" in said:
        raise ItemsError(f"{path}: a sheet of {said['n_cells']} cells is too large. {hint}")
    if "sheets" in said:
        listed = ", ".join(said["sheets"]) or "none"
        raise ItemsError(f"{path} has no sheet {sheet!r}; its sheets are {listed}. {hint}")
    raise ItemsError(f"{path} can't be read as a workbook. {hint}")
