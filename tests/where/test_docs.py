"""The conditions and limits that docs/filters.md tells are those of the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cbir.items.where import OWN_COLUMNS, parse_where
from cbir.items.where.parse import _MAX_CHARACTERS, _MAX_DEPTH

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "filters.md").read_text(encoding="utf-8")
WRITTEN = re.findall(r"--where \"(.*?)\"(?: |\n)", PAGE + (ROOT / "README.md").read_text(encoding="utf-8"))
CELLS = re.findall(r"`((?:age|view|density) [^`]*)`", PAGE)


@pytest.mark.parametrize("text", [*WRITTEN, *CELLS])
def test_a_condition_of_the_docs_is_understood(text):
    parse_where(text)


def test_the_docs_say_the_columns_and_the_limits():
    assert len(WRITTEN) == 2
    assert ", ".join(f"`{name}`" for name in OWN_COLUMNS) in PAGE
    assert f"at most {_MAX_CHARACTERS:_}".replace("_", " ") in PAGE
    assert f"{_MAX_DEPTH} parentheses" in PAGE
