"""The command line, and items files to give it."""

from __future__ import annotations

import csv
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

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


@pytest.fixture
def xlsx() -> Callable[[Path, Mapping[str, Sequence[Sequence[object]]]], Path]:
    """Write a workbook of sheets, the least that the format allows."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"

    def cell(value: object) -> str:
        if isinstance(value, int | float):
            return f"<c><v>{value}</v></c>"
        return f'<c t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'

    def write(path: Path, sheets: Mapping[str, Sequence[Sequence[object]]]) -> Path:
        numbers = range(1, len(sheets) + 1)
        listed = "".join(
            f'<sheet name="{name}" sheetId="{i}" r:id="r{i}"/>'
            for i, name in zip(numbers, sheets, strict=True)
        )
        targets = "".join(
            f'<Relationship Id="r{i}" Type="{office}/worksheet" Target="worksheets/sheet{i}.xml"/>'
            for i in numbers
        )
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("[Content_Types].xml", "<Types/>")
            book = f'<Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/>'
            file.writestr("_rels/.rels", f'<Relationships xmlns="{package}">{book}</Relationships>')
            book = f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>'
            file.writestr("xl/workbook.xml", book)
            relations = f'<Relationships xmlns="{package}">{targets}</Relationships>'
            file.writestr("xl/_rels/workbook.xml.rels", relations)
            for i, rows in zip(numbers, sheets.values(), strict=True):
                body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
                sheet = f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'
                file.writestr(f"xl/worksheets/sheet{i}.xml", sheet)
        return path

    return write


@pytest.fixture
def xls() -> Callable[[Path, Sequence[Sequence[object]]], Path]:
    """Write a workbook of one sheet as Excel 97 did: BIFF8 records in a compound file."""

    def record(kind: int, content: bytes) -> bytes:
        return struct.pack("<HH", kind, len(content)) + content

    def cell(row: int, column: int, value: object) -> bytes:
        place = struct.pack("<HHH", row, column, 0)
        if isinstance(value, int | float):
            return record(0x0203, place + struct.pack("<d", value))
        text = str(value).encode("utf-16-le")
        return record(0x0204, place + struct.pack("<HB", len(text) // 2, 1) + text)

    def write(path: Path, rows: Sequence[Sequence[object]]) -> Path:
        end = record(0x000A, b"")
        start = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 1996, 0, 0x06))
        name = struct.pack("<BB", 6, 0) + b"Sheet1"
        at = len(start) + 4 + 6 + len(name) + len(end)
        book = start + record(0x0085, struct.pack("<IH", at, 0) + name) + end
        cells = b"".join(cell(i, j, each) for i, row in enumerate(rows) for j, each in enumerate(row))
        sheet = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 1996, 0, 0x06)) + cells + end
        path.write_bytes(_compound_file(book + sheet))
        return path

    return write


def _compound_file(stream: bytes) -> bytes:
    """A compound file (MS-CFB) with the one stream ``Workbook``, in sectors of 512 bytes."""
    n_sectors = max(-(-len(stream) // 512), 8)  # shorter ones would lie in the mini stream
    free, end = 0xFFFFFFFF, 0xFFFFFFFE
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0)
    header += struct.pack("<109I", 0, *[free] * 108)
    chain = [0xFFFFFFFD, end, *range(3, n_sectors + 2), end]
    table = struct.pack("<128I", *chain, *[free] * (128 - len(chain)))

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = (name + "\0").encode("utf-16-le")
        links = struct.pack("<HBBIII", len(text), kind, 1, free, free, child)
        return text.ljust(64, b"\0") + links + bytes(36) + struct.pack("<IQ", start, size)

    directory = entry("Root Entry", 5, 1, end, 0) + entry("Workbook", 2, free, 2, n_sectors * 512)
    return header + table + directory.ljust(512, b"\0") + stream.ljust(n_sectors * 512, b"\0")
