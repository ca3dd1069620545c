"""Hits as aligned columns of text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from cbir.printable import printable
from cbir.types import Hit
from cli.renderers.answer import SHOWN_METADATA, Answer
from cli.renderers.where import where

_GROUP_WIDTH = 12


def render_table(answer: Answer) -> str:
    """A line a hit; columns that no hit has a value for are left out."""
    header = ["rank", "score", "label", "group", *SHOWN_METADATA, "where", "id", "path"]
    return columns([header, *(_row(hit) for hit in answer.hits)], keep=("rank", "score", "id", "path"))


def columns(rows: Sequence[Sequence[str]], *, keep: Sequence[str] = ()) -> str:
    """Align columns, the first row being the header; those without a value are left out, but for ``keep``."""
    shown = [
        column
        for column in zip(*([printable(cell) for cell in row] for row in rows), strict=True)
        if column[0] in keep or any(column[1:])
    ]
    widths = [max(map(_width, column)) for column in shown]
    lines = (
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in zip(*shown, strict=True)
    )
    return "".join(f"{line}\n" for line in lines)


def _row(hit: Hit) -> list[str]:
    item = hit.item
    group = item.group or ""
    shown = [_text(item.metadata.get(name)) for name in SHOWN_METADATA]
    path = item.path if item.frame == 0 else f"{item.path} [frame {item.frame}]"
    short = group if len(group) <= _GROUP_WIDTH else group[: _GROUP_WIDTH - 1] + "…"
    return [str(hit.rank), f"{hit.score:.4f}", item.label or "", short, *shown, where(hit), item.id, path]


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _width(text: str) -> int:
    """Cells in a terminal: East Asian wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        (unicodedata.east_asian_width(each) in "WF") + (not unicodedata.combining(each)) for each in text
    )
