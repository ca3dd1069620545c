"""Miniature copies of releases, and the command that prepares them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from cbir.items import Found, read_table

Rows = list[dict[str, object]]


@pytest.fixture
def lay(tmp_path: Path) -> Callable[[dict[str, str | Rows]], Path]:
    """Lay files below a folder: text, or rows as CSV; what images hold is no matter here."""

    def lay_files(files: dict[str, str | Rows]) -> Path:
        for name, content in files.items():
            path = tmp_path / "release" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = content if isinstance(content, str) else _csv(content, ";" if "INbreast" in name else ",")
            path.write_text(text, encoding="utf-8")
        return tmp_path / "release"

    return lay_files


@pytest.fixture
def prepare(tmp_path: Path, cbir) -> Callable[[str, Path], tuple[dict[str, Found], Result]]:
    """Prepare a release; the rows by the name of the file, and what was said."""

    def run(name: str, folder: Path) -> tuple[dict[str, Found], Result]:
        result = cbir("datasets", "prepare", name, folder, "-o", tmp_path / "items.csv")
        rows = read_table(str(tmp_path / "items.csv")).rows
        return {Path(row.path).relative_to(folder).as_posix(): row for row in rows}, result

    return run


def _csv(rows: Rows, delimiter: str) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
