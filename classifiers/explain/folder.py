"""The folder that explanations are written into."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

from cbir.durable import write_text
from cbir.errors import CbirError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from cbir.images.steps import JSON

EXPLAIN_JSON = "explain.json"
_OURS = re.compile(r"[a-z]+-[0-9]+[a-z-]*\.png")
_MOST_BYTES = 1 << 26


class ExplainFolder:
    """A folder that is new, or whose ``explain.json`` lists what an earlier run wrote.

    Files of others stay, and are never written over.

    While pictures are written, ``explain.json`` lists the old and the new ones and says that it is not
    complete: whatever happens, the next run may go on.

    Args:
        path: of the folder; it is made when something is written.

    Raises:
        CbirError: it is no folder, or holds an ``explain.json`` that is not ours.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.exists() and not path.is_dir():
            raise CbirError(f"Explanations go into a folder, and {path} is a file. Name another.")
        self._earlier = _listed(path / EXPLAIN_JSON)

    def check(self, names: Collection[str]) -> None:
        """Refuse to write over files that are not ours.

        Raises:
            CbirError: names the first.
        """
        for name in names:
            if name not in self._earlier and (self.path / name).exists():
                raise CbirError(
                    f"{self.path / name} is there already, and no explanation wrote it. Name another folder."
                )

    def write(self, pictures: Mapping[str, bytes], document: Mapping[str, JSON]) -> None:
        """Write pictures, then the document and their names; earlier pictures go.

        Args:
            pictures: PNG by file name, such as ``rank-01-query.png``.
            document: the rest of ``explain.json``.

        Raises:
            CbirError: a file of somebody else's has one of the names.
            OSError: the disk refused.
        """
        self.check(pictures)
        self.path.mkdir(parents=True, exist_ok=True)
        self._describe({}, [*pictures, *sorted(self._earlier - set(pictures))], is_complete=False)
        for name in self._earlier - set(pictures):
            (self.path / name).unlink(missing_ok=True)
        for name, content in pictures.items():
            (self.path / name).write_bytes(content)
        self._describe(document, list(pictures), is_complete=True)
        self._earlier = frozenset(pictures)

    def _describe(self, document: Mapping[str, JSON], files: list[str], *, is_complete: bool) -> None:
        ours = {"cbir": "explain", "version": 1, "complete": is_complete, **document, "files": files}
        write_text(self.path / EXPLAIN_JSON, json.dumps(ours, indent=2, allow_nan=False) + "\n")


def _listed(path: Path) -> frozenset[str]:
    """The pictures of an earlier run."""
    if not path.exists():
        return frozenset()
    try:
        with path.open("rb") as file:
            document: object = json.loads(file.read(_MOST_BYTES))
    except ValueError:
        document = None
    table = cast("dict[str, object]", document) if isinstance(document, dict) else {}
    files = table.get("files")
    if table.get("cbir") != "explain" or not isinstance(files, list):
        raise CbirError(f"{path} is there already, and no explanation wrote it. Name another folder.")
    return frozenset(name for name in files if isinstance(name, str) and _OURS.fullmatch(name))
