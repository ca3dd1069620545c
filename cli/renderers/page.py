"""A page of HTML as a file."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING

from cbir.printable import printable

if TYPE_CHECKING:
    import jinja2


def page_environment() -> jinja2.Environment:
    """What templates beside this file are rendered by; every text that is put into them is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"picture": _picture, "printable": printable, "name": _name}
    return environment


def write_page(page: str, path: Path) -> None:
    """Write a page; one that is there is replaced when the new one is whole."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(page, encoding="utf-8", errors="surrogateescape")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _picture(thumbnail: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(thumbnail).decode("ascii")


def _name(path: str) -> str:
    return os.path.basename(path)  # noqa: PTH119 (a query can be an item id, a path not of this system)
