"""A page of HTML as a file."""

from __future__ import annotations

import os
from pathlib import Path


def write_page(page: str, path: Path) -> None:
    """Write a page; one that is there is replaced when the new one is whole."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(page, encoding="utf-8", errors="surrogateescape")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
