"""`cbir index remove`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cbir.errors import CbirError
from cli import options as opt
from cli.opening import look_at_index, open_writer
from cli.settings import load_settings
from cli.terminal import note

if TYPE_CHECKING:
    from indexer.index import Index


def remove(
    items: Annotated[
        list[str],
        typer.Argument(help="Item ids, files, or folders with all that is below."),
    ],
    *,
    index: opt.IndexOption = None,
) -> None:
    """Remove items from an index; the image files stay.

    When one of them is not in the index, nothing is removed. An item comes back with the next update if
    its file still lies in a source that the index remembers.
    """
    settings = load_settings(index=index)
    with (
        open_writer(settings) as writer,
        look_at_index(settings) as reader,
    ):
        known = list(writer.paths())
        ids, paths = [], []
        for each in items:
            if _is_item(reader, each):
                ids.append(each)
            elif below := _at_or_below(each, known):
                paths.extend(below)
            else:
                raise CbirError(
                    f"{each} is no item id, file or folder of index {settings.index}; nothing was removed."
                )
        n_removed = writer.remove(ids) + writer.remove_paths(paths)
        writer.commit()
    note(f"removed {n_removed} items from {settings.index}")


def _is_item(reader: Index, text: str) -> bool:
    try:
        reader.item(text)
    except KeyError:
        return False
    return True


def _at_or_below(text: str, known: Sequence[str]) -> list[str]:
    path = os.path.abspath(text)  # noqa: PTH100 (names that are not UTF-8 stay)
    return [each for each in known if each == path or each.startswith(path + os.sep)]
