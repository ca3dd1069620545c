"""What every run writes down: its recipe, and the files that were left out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cbir.durable import write_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cbir.images.decoding import Unread
    from cbir.images.steps import JSON


def page_text(page: Mapping[str, JSON]) -> str:
    """A recipe as it is used, as TOML, so that it can be used again."""
    import tomlkit

    return tomlkit.dumps(page)


def write_skipped(path: Path, unread: Sequence[Unread]) -> None:
    """Write a JSON line for every file that could not be read; without any there is no file.

    Raises:
        OSError: the disk refused.
    """
    if not unread:
        path.unlink(missing_ok=True)
        return
    lines = [{"path": each.path, "reason": each.reason, "detail": each.detail} for each in unread]
    write_text(path, "".join(json.dumps(line) + "\n" for line in lines))
