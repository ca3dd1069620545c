"""What a run is of, as its folder remembers it: it is gone on with by the very same, and by nothing else."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from cbir.durable import write_text
from cbir.errors import TrainingError

if TYPE_CHECKING:
    from pathlib import Path

    from cbir.training.material import Material

_FILE = "begun.json"
_SHOWN = 8
_WHAT: Mapping[str, str] = {
    "recipe": "settings",
    "items": "images, labels or groups",
    "split": "parts",
    "start": "start weights",
}


@dataclass(frozen=True, slots=True)
class Begun:
    """What a run is of.

    Args:
        recipe: the sha256 of its page.
        items: of every image's path in the items file, label, group and part.
        split: the split's hash.
        start: the fingerprints of the extractors that it starts from.
    """

    recipe: str
    items: str
    split: str
    start: str


def begun_with(recipe_sha256: str, material: Material, start: str) -> Begun:
    """What a run may be gone on with by.

    Args:
        recipe_sha256: of the page.
        material: what is trained on.
        start: the fingerprint of what it starts from.
    """
    folder = os.path.dirname(os.path.abspath(material.source))  # noqa: PTH100, PTH120 - bytes stay
    rows = zip(material.images, material.codes.tolist(), material.groups, strict=True)
    text = "".join(
        f"{os.path.relpath(image.path, folder)}\0{material.classes[code]}\0{group}\0"
        for image, code, group in rows
    )
    return Begun(
        recipe=recipe_sha256,
        items=hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest(),
        split=material.split_hash,
        start=start,
    )


def begin(folder: Path, begun: Begun) -> None:
    """Write down in a fresh folder what its run is of; in another, see that it is the same.

    Raises:
        TrainingError: it is a run of something else, or nobody can tell.
        OSError: the disk refused.
    """
    file = folder / _FILE
    if not file.is_file():
        write_text(file, json.dumps(asdict(begun), indent=2) + "\n")
        return
    try:
        before = Begun(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise TrainingError(
            f"{file} can't be read: {error}; begin anew in another folder with -o."
        ) from error
    for name, what in _WHAT.items():
        one, other = getattr(before, name), getattr(begun, name)
        if one != other:
            raise TrainingError(
                f"{folder} was begun with other {what} ({one[:_SHOWN]}…) than these "
                f"({other[:_SHOWN]}…). Give it the same, or begin anew in another folder with -o."
            )
