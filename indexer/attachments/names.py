"""How attachments and their files are named; where each lies in the index directory."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cbir.errors import SpecError
from indexer.manifest import ATTACHED

if TYPE_CHECKING:
    from collections.abc import Iterable

SETTINGS = "attachment.json"
KEYS = "values.keys"
VALUES = "values.f32"
FILES = "files"

_SAYS = re.compile(rf"(?P<folder>{ATTACHED}/(?P<name>[^/]+)/\d{{8,}})/{SETTINGS}")
_NAME = re.compile(r"[a-z0-9-]{1,64}")


def check_name(name: str) -> None:
    """Refuse what can't be the name of an attachment.

    Raises:
        SpecError: other letters than those allowed, none, or too many.
    """
    if not _NAME.fullmatch(name):
        raise SpecError(
            f"{name!r} can't be the name of an attachment: use 1 to 64 of a-z, 0-9 and '-', as in dal-hybrid."
        )


def check_file_name(name: str) -> None:
    """Refuse what can't be a file of an attachment: a path that leaves its folder.

    Raises:
        SpecError: likewise.
    """
    path = PurePosixPath(name)
    stays = path.parts and not path.is_absolute() and ".." not in path.parts
    if not stays or name != str(path) or "\0" in name:
        raise SpecError(f"{name!r} can't be a file of an attachment: give a path relative to its folder.")


def folder_of(name: str, number: int) -> str:
    """Where an attachment lies, relative to the index."""
    return f"{ATTACHED}/{name}/{number:08d}"


def number_of(file: str) -> int:
    """The number of the folder that a file of an attachment lies in."""
    return int(PurePosixPath(file).parts[2])


def attached_folders(files: Iterable[str]) -> dict[str, str]:
    """The folder of each attachment, by name, from the names of an index's files."""
    found = (_SAYS.fullmatch(file) for file in files)
    return {said["name"]: said["folder"] for said in found if said}
