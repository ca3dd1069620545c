"""An extractor's page, written: a page that is there, with other fusion or a projection, comments kept."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from cbir.errors import SpecError
from cbir.extractors.preset import read_preset
from cbir.extractors.projection import write_projection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tomlkit import TOMLDocument
    from tomlkit.items import Table

    from cbir.extractors.projection import Projection
    from cbir.extractors.spec import FusionSpec


def write_page(
    source: Path,
    target: Path,
    *,
    fusion: FusionSpec | None = None,
    projection: Projection | None = None,
    remarks: Sequence[str] = (),
) -> list[Path]:
    """Write a copy of a page under a new name, that of its file.

    Files that the page names relative to its folder are named from the new folder.

    Args:
        source: a page that can be read.
        target: ends in ``.toml``; its folder must exist.
        fusion: in place of the page's; None keeps it.
        projection: is written beside the page, as ``.safetensors``; None keeps the page's.
        remarks: comments at the top: by whom it was made, and of what.

    Returns:
        The files that were written.

    Raises:
        SpecError: a file is there already, has another suffix, or can't be written; or the page makes no
            sense.
    """
    import tomlkit

    refuse_target(target)
    page = tomlkit.parse(source.read_text(encoding="utf-8"))
    page["name"] = target.stem
    _move(page, source.parent, target.parent)
    if fusion is not None:
        page["fusion"] = fusion.to_dict()
    beside = target.with_suffix(".safetensors")
    if projection is not None:
        page["projection"] = beside.name
    text = "".join(f"# {_plain(remark)}\n" for remark in remarks) + "\n" + tomlkit.dumps(page)
    fresh = _fresh(target)
    try:
        fresh.write_text(text, encoding="utf-8")
        read_preset(fresh)
        if projection is not None:
            write_projection(_fresh(beside), projection)
            _fresh(beside).replace(beside)
        fresh.replace(target)
    except OSError as error:
        raise SpecError(f"{target} can't be written: {error.strerror}. Choose another --output.") from error
    finally:
        fresh.unlink(missing_ok=True)
        _fresh(beside).unlink(missing_ok=True)
    return [target] if projection is None else [target, beside]


def refuse_target(target: Path) -> None:
    """Fail before the work where ``write_page`` would fail after it.

    Raises:
        SpecError: a file is there already, the name has another suffix, or its folder is not there.
    """
    if target.suffix != ".toml":
        raise SpecError(f"{target} is a page of TOML. Give it a name that ends in .toml.")
    if not target.parent.is_dir():
        raise SpecError(f"{target} can't be written: there is no folder {target.parent}. Make it.")
    for each in (target, target.with_suffix(".safetensors")):
        if os.path.lexists(each):
            raise SpecError(f"{each} is there already. Name another file with --output, or delete it.")


def _move(page: TOMLDocument, old: Path, new: Path) -> None:
    """Name relative files from another folder."""
    if os.path.realpath(old) == os.path.realpath(new):
        return
    for branch in cast("list[Table]", page["branch"]):
        _name_from_anywhere(branch, "backbone", "dir:", old)
        if "weights" in branch:
            weights = cast("Table", branch["weights"])
            said = str(weights["source"])
            if said.startswith("file:") and "name" not in weights:  # which would be the whole path
                weights["name"] = said.removeprefix("file:")
            _name_from_anywhere(weights, "source", "file:", old)
    if "projection" in page:
        page["projection"] = str(_absolute(old, str(page["projection"])))


def _name_from_anywhere(table: Table, key: str, prefix: str, folder: Path) -> None:
    named = str(table.get(key, ""))
    if named.startswith(prefix):
        table[key] = f"{prefix}{_absolute(folder, named.removeprefix(prefix))}"


def _absolute(folder: Path, name: str) -> Path:
    return folder.absolute() / name


def _fresh(target: Path) -> Path:
    """Where a file is written before it gets its name; in the same folder, with the same suffix."""
    return target.with_name(f".{os.getpid()}.{target.name}")


def _plain(text: str) -> str:
    """A comment is one line, and TOML is UTF-8."""
    return "".join(each if each.isprintable() else "?" for each in text)
