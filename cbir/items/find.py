"""Every image there is in some sources, each once, with what is known about it."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from cbir.errors import ItemsError
from cbir.items.dicomweb.address import PacsAddress
from cbir.items.found import Found, Refused
from cbir.items.source import Source
from cbir.items.table import Table, read_table, real_path
from cbir.items.walk import look, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from cbir.items.dicomweb.server import PacsServer
    from cbir.items.dicomweb.servers import PacsServers


def find_items(
    sources: Sequence[str],
    *,
    labels: Path | None = None,
    label_column: str | None = None,
    group_column: str | None = None,
    on_unmatched: Callable[[str], None] | None = None,
    without: Path | None = None,
    pacs: PacsServers | None = None,
) -> Iterator[Found | Refused]:
    """Find the images of folders, globs, files, items files and PACS.

    Sources are checked, items files read, and PACS asked whether they are there, before this returns; folders
    are walked, and PACS searched, as the result is read.
    A file that two sources give comes once; items files come first, so that their labels stay.

    Args:
        sources: as a user types them, or ``str(Source)``.
        labels: an items file that labels what the sources give; it adds no images.
        label_column: in items files; default ``label``.
        group_column: in items files; default ``group``, else ``patient_id``.
        on_unmatched: told, at the end, each path of ``labels`` that no source gave.
        without: a folder that is not walked, and not reported: the index, where it lies among the images.
        pacs: opens them; None where no images of one can be used.

    Raises:
        ItemsError: a source that does not exist, or an items file that can't be used.
        BackendError: a PACS that is away, then or as the result is read.
    """
    parsed = [Source.parse(text) for text in sources]
    tables = {
        source: read_table(source.text, label_column=label_column, group_column=group_column)
        for source in parsed
        if source.kind == "table"
    }
    joined = labels and read_table(str(labels), label_column=label_column, group_column=group_column)
    if not tables and not joined and (label_column or group_column):
        raise ItemsError(
            "A label or group column is named, but no items file is given. Add one with --labels."
        )
    searches = {
        source: partial(_server_of(source, pacs).images, PacsAddress.parse(source.text))
        for source in parsed
        if source.kind == "pacs"
    }
    ordered = sorted(dict.fromkeys(parsed), key=lambda source: source.kind != "table")
    hidden = os.path.realpath(without) if without else None
    found: Iterator[Found | Refused] = itertools.chain.from_iterable(
        searches[source]() if source in searches else _look_in(source, tables.get(source), hidden)
        for source in ordered
    )
    if len(ordered) > 1:
        found = _once(found)
    return _labelled(found, joined, on_unmatched) if joined else found


def _server_of(source: Source, pacs: PacsServers | None) -> PacsServer:
    if pacs is None:
        raise ItemsError(
            f"Source {source} is a PACS: `cbir index build` and `index update` alone can read it. Name files."
        )
    return pacs.server(PacsAddress.parse(source.text))


def _look_in(source: Source, table: Table | None, without: str | None) -> Iterator[Found | Refused]:
    if table is not None:
        yield from (row if isinstance(seen := look(row.path), Found) else seen for row in table.rows)
    elif source.kind == "folder":
        yield from walk(source.text, without=without)
    elif source.kind == "glob":
        yield from walk(*source.base_and_pattern(), without=without)
    else:
        yield look(source.text)


def _once(found: Iterable[Found | Refused]) -> Iterator[Found | Refused]:
    seen: set[str] = set()
    for item in found:
        key = real_path(item.path)
        if key not in seen:
            seen.add(key)
            yield item


def _labelled(
    found: Iterable[Found | Refused], table: Table, on_unmatched: Callable[[str], None] | None
) -> Iterator[Found | Refused]:
    rows = {real_path(row.path): row for row in table.rows}
    for item in found:
        row = rows.pop(real_path(item.path), None)
        if row is None or isinstance(item, Refused) or _knows_something(item):
            yield item
        else:
            yield replace(item, label=row.label, group=row.group, metadata=row.metadata)
    for row in rows.values():
        if on_unmatched is not None:
            on_unmatched(row.path)


def _knows_something(item: Found) -> bool:
    """Whether it came from an items file, whose word stands."""
    return item.label is not None or item.group is not None or bool(item.metadata)
