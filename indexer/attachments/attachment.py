"""An attachment of an index, read."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cbir.errors import AttachmentError
from indexer.attachments.names import FILES, KEYS, SETTINGS, VALUES, attached_folders
from indexer.attachments.values import ImageValues
from indexer.storage.sealed import SealedFile, check_file, damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from indexer.catalog import ImageKey
    from indexer.storage.durable import Seal
    from indexer.storage.records import JSON

    Images = Callable[[Sequence[str]], Mapping[str, ImageKey]]


class Attachment:
    """What is kept under a name.

    Settings and table are held open, as everything of a generation is. The files are named, not held: open
    them soon, for a writer that replaces the attachment removes them.
    """

    def __init__(self, index: Path, name: str, files: Mapping[str, Seal], images: Images) -> None:
        """Not to be called: see ``Index.attachment``.

        Args:
            index: its directory.
            name: of the attachment.
            files: of the index, with their seals.
            images: which image each of these items has; items that are not there are left out.
        """
        self._index = index
        self._name = name
        self._at = _folder(index, name, files)
        self._files = {each: seal for each, seal in files.items() if each.startswith(f"{self._at}/")}
        self._images = images
        said = self._held(SETTINGS).content()
        try:
            self._said: dict[str, JSON] = json.loads(bytes(said))
            self._columns = tuple(map(str, self._said["columns"] or ()))
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(index / self._at / SETTINGS, repr(error)) from error
        has_table = f"{self._at}/{KEYS}" in self._files
        self._table_files = (self._held(KEYS), self._held(VALUES)) if has_table else None

    @property
    def name(self) -> str:
        """What it is kept under."""
        return self._name

    @property
    def settings(self) -> JSON:
        """What was said when it was attached."""
        return self._said["settings"]

    @property
    def columns(self) -> tuple[str, ...]:
        """What each number of the values is; none where there are no values."""
        return self._columns

    @property
    def n_images(self) -> int:
        """How many images there are values of; items that are copies of one another have one image."""
        return len(self._table)

    @property
    def folder(self) -> Path:
        """Where its files are, each of them checked; see ``files``."""
        _ = self.files
        return self._index / self._at / FILES

    @cached_property
    def files(self) -> dict[str, Path]:
        """Where each of its files is, by its name in the folder; all checked.

        Raises:
            IndexDamagedError: one does not fit its checksum.
            AttachmentError: a writer has replaced or removed the attachment since it was opened.
        """
        found = {}
        for name, seal in self._files.items():
            if name.startswith(f"{self._at}/{FILES}/"):
                path = self._index / name
                found[name.removeprefix(f"{self._at}/{FILES}/")] = path
                try:
                    check_file(path, seal)
                except FileNotFoundError:
                    raise _gone(self._index, self._name) from None
        return found

    def values(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """The values of items.

        Returns:
            (n, d), a row an id; NaN where nothing is known: of an item that was added or changed since, or
            that the index does not have.

        Raises:
            IndexDamagedError: the table does not fit its checksum.
        """
        images = self._images(ids)
        return self._table.of([images.get(each) for each in ids])

    def table(self) -> ImageValues | None:
        """Values by image; None where there is no table."""
        return None if self._table_files is None else self._table

    @cached_property
    def _table(self) -> ImageValues:
        if self._table_files is None:
            return ImageValues.empty()
        keys, values = (file.content() for file in self._table_files)
        try:
            return ImageValues.from_bytes(keys, values, len(self._columns))
        except ValueError as error:
            raise damaged(self._index / self._at / VALUES, str(error)) from error

    def _held(self, name: str) -> SealedFile:
        path = f"{self._at}/{name}"
        try:
            return SealedFile(self._index / path, self._files[path])
        except FileNotFoundError:
            raise _gone(self._index, self._name) from None


def _folder(index: Path, name: str, files: Mapping[str, Seal]) -> str:
    there = attached_folders(files)
    if name not in there:
        known = f"attached are {', '.join(sorted(there))}" if there else "nothing is attached to it"
        raise AttachmentError(f"Index {str(index)!r} has no attachment {name!r}: {known}.")
    return there[name]


def _gone(index: Path, name: str) -> AttachmentError:
    return AttachmentError(
        f"The attachment {name!r} of index {str(index)!r} is not there: a writer has replaced or removed it "
        "since the index was opened, or the directory is damaged. Open the index again, or cbir index verify."
    )
