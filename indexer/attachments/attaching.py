"""What a writer attaches: on the disk at once, in the index with the next commit."""

from __future__ import annotations

import json
import shutil
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cbir.errors import SpecError
from indexer.attachments.attachment import Attachment
from indexer.attachments.names import (
    FILES,
    KEYS,
    SETTINGS,
    VALUES,
    attached_folders,
    check_file_name,
    check_name,
    folder_of,
    number_of,
)
from indexer.attachments.values import ImageValues
from indexer.manifest import ATTACHED
from indexer.storage.durable import Seal, copy_file, write_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from indexer.attachments.values import ItemValues
    from indexer.catalog import Catalog
    from indexer.manifest import Manifest
    from indexer.storage.records import JSON


class Attaching:
    """The attachments as the next commit will publish them.

    Each is written to a folder of its own: what is published stays as it is until another manifest is there.
    """

    def __init__(self, directory: Path, manifest: Manifest, catalog: Catalog) -> None:
        self._directory = directory
        self._catalog = catalog
        self._seals = {name: seal for name, seal in manifest.files.items() if name.startswith(f"{ATTACHED}/")}
        self._number = max([manifest.generation, *map(number_of, self._seals)])

    @property
    def seals(self) -> Mapping[str, Seal]:
        """Of every file, by path relative to the index."""
        return self._seals

    @property
    def names(self) -> list[str]:
        """Of the attachments."""
        return sorted(attached_folders(self._seals))

    def read(self, name: str) -> Attachment:
        """An attachment, not necessarily published."""
        return Attachment(self._directory, name, self._seals, self._catalog.images_of)

    def check(self, name: str, files: Mapping[str, Path], values: ItemValues | None) -> None:
        """Refuse what can't be attached, before anything is written."""
        check_name(name)
        for each, source in files.items():
            check_file_name(each)
            if not source.is_file():
                raise SpecError(f"{str(source)!r} is no file that could be attached as {each!r}.")
        if values is not None:
            values.check()

    def put(self, name: str, settings: JSON, files: Mapping[str, Path], values: ItemValues | None) -> None:
        """Write an attachment, and forget the one that had its name."""
        table = None if values is None else ImageValues.of_items(values, self._catalog.images_of(values.ids))
        columns = () if values is None else values.columns
        self._write(name, {"settings": settings, "columns": list(columns)}, files, table)

    def set_settings(self, name: str, settings: JSON) -> None:
        """Write an attachment anew with other settings."""
        there = self.read(name)
        self._rewrite(there, settings, there.table())

    def remove(self, name: str) -> None:
        """Forget an attachment; its files go once a generation without them is published."""
        self._forget(self.read(name).name)

    def drop_dead_rows(self) -> None:
        """Write the tables anew that have rows of images that the catalog has no longer."""
        for name in self.names:
            there = self.read(name)
            table = there.table()
            if table is not None and len(kept := table.only(self._catalog.images())) < len(table):
                self._rewrite(there, there.settings, kept)

    def _rewrite(self, there: Attachment, settings: JSON, table: ImageValues | None) -> None:
        said: JSON = {"settings": settings, "columns": list(there.columns)}
        self._write(there.name, said, there.files, table)

    def _write(self, name: str, said: JSON, files: Mapping[str, Path], table: ImageValues | None) -> None:
        self._number += 1
        folder = folder_of(name, self._number)
        shutil.rmtree(self._directory / folder, ignore_errors=True)
        seals = {
            f"{FILES}/{each}": copy_file(source, self._directory / folder / FILES / each)
            for each, source in files.items()
        }
        if table is not None:
            for each, content in zip((KEYS, VALUES), table.to_bytes(), strict=True):
                seals[each] = write_file(self._directory / folder / each, [content])
        text = json.dumps(said, indent=1).encode("ascii")
        seals[SETTINGS] = write_file(self._directory / folder / SETTINGS, [text])
        self._forget(name)
        self._seals |= {f"{folder}/{each}": seal for each, seal in seals.items()}

    def _forget(self, name: str) -> None:
        self._seals = {
            each: seal for each, seal in self._seals.items() if PurePosixPath(each).parts[1] != name
        }
