"""Workbooks: what their cells become, and that a hostile one ends in one error."""

from __future__ import annotations

import contextlib
import random
import zipfile

import pytest

from cbir.errors import ItemsError
from cbir.items.cells import read_sheet
from cbir.items.workbook import read_workbook

ROWS = [["name", "n", "x", ""], ["ä & <b>", 3, 1.5, ""], ["007", 20586908, -2, "true"]]
TEXT = [["name", "n", "x", ""], ["ä & <b>", "3", "1.5", ""], ["007", "20586908", "-2", "true"]]


def test_cells_become_text_and_whole_numbers_have_no_point(tmp_path, xlsx):
    path = xlsx(tmp_path / "é.xlsx", {"all": ROWS})
    assert read_workbook(str(path), "ALL") == TEXT


def test_the_old_format_is_read_too(tmp_path, xls):
    assert read_workbook(str(xls(tmp_path / "a.xls", ROWS))) == TEXT


def test_a_sheet_that_is_alone_may_have_any_name_and_of_several_it_must_be_said(tmp_path, xlsx):
    alone = xlsx(tmp_path / "one.xlsx", {"Tabelle1": ROWS})
    assert read_workbook(str(alone), "all") == TEXT
    several = xlsx(tmp_path / "two.xlsx", {"one": ROWS, "two": [["a"]]})
    assert read_workbook(str(several), "one") == TEXT
    with pytest.raises(ItemsError, match="its sheets are one, two"):
        read_workbook(str(several), "three")


def test_the_columns_are_named_by_the_first_row_that_has_those_needed(tmp_path, xlsx):
    path = str(xlsx(tmp_path / "a.xlsx", {"s": [["A title", "", "", ""], ["", "", "", ""], *ROWS]}))
    cells = read_sheet(path, ["n", "name"])
    assert cells.columns == {
        "name": ["ä & <b>", "007"],
        "n": ["3", "20586908"],
        "x": ["1.5", "-2"],
        "column_4": ["", "true"],
    }
    assert cells.places == ["row 4", "row 5"]
    assert list(read_sheet(path, ["nope"]).columns) == ["A title", "column_2", "column_3", "column_4"]


def test_an_empty_sheet_says_what_it_needs(tmp_path, xlsx):
    with pytest.raises(ItemsError, match="has an empty sheet"):
        read_sheet(str(xlsx(tmp_path / "a.xlsx", {"s": []})), ["n"])


def _with_sheet(path, sheet):
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    parts["xl/worksheets/sheet1.xml"] = sheet
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return path


def test_a_sheet_with_a_cell_in_its_last_corner_takes_no_memory_of_ours(tmp_path, xlsx):
    path = xlsx(tmp_path / "a.xlsx", {"s": ROWS})
    cells = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    _with_sheet(path, b"<worksheet><sheetData>" + cells + b"</sheetData></worksheet>")
    with pytest.raises(ItemsError, match="can't be read as a workbook"):
        read_workbook(str(path))


def test_a_sheet_of_too_many_cells_is_refused_with_their_number(tmp_path, xlsx):
    path = xlsx(tmp_path / "a.xlsx", {"s": ROWS})
    cells = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="C1048576"><v>1</v></c></row>'
    _with_sheet(path, b"<worksheet><sheetData>" + cells + b"</sheetData></worksheet>")
    with pytest.raises(ItemsError, match="a sheet of 3145728 cells is too large"):
        read_workbook(str(path))


def test_a_damaged_workbook_is_an_items_error_or_is_read(tmp_path, xls):
    whole = xls(tmp_path / "a.xls", ROWS).read_bytes()
    dice = random.Random(5)
    for _ in range(12):
        mutated = bytearray(whole)
        for _ in range(8):
            mutated[dice.randrange(len(mutated))] = dice.randrange(256)
        (tmp_path / "b.xls").write_bytes(mutated[: dice.randrange(600, len(mutated))])
        with contextlib.suppress(ItemsError):
            assert all(isinstance(row, list) for row in read_workbook(str(tmp_path / "b.xls")))
