"""The command line, and items files to give it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.app import app


@pytest.fixture
def cbir() -> Callable[..., Result]:
    """Run a command; the test fails when its exit code is not the one expected."""

    def run(*words: object, expect: int = 0) -> Result:
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == expect, result.output
        return result

    return run


@pytest.fixture
def items_file() -> Callable[[Path, Sequence[Mapping[str, object]]], Path]:
    """Write rows as CSV; gives the path back."""

    def write(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write
