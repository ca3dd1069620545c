"""The user's own folder of weights: files by their sha256, and a registry of where they came from."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from cbir.errors import WeightsError
from cbir.extractors.weights.record import WeightsRecord

_FORMAT = 1


class WeightsStore:
    """Weights that were installed here, and the sha256 of everything that was ever pulled or installed.

    Args:
        folder: made when something is first written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def registry_file(self) -> Path:
        """Holds the records, as JSON."""
        return self.folder / "registry.json"

    def records(self) -> tuple[WeightsRecord, ...]:
        """Everything remembered, by source.

        Raises:
            WeightsError: the registry can't be read.
        """
        try:
            page: object = json.loads(self.registry_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return ()
        except (OSError, ValueError) as error:
            raise WeightsError(
                f"Weights registry {self.registry_file} can't be read: {error}; mend it, or move it away."
            ) from error
        found = page.get("format") if isinstance(page, dict) else None
        if not isinstance(page, dict) or found != _FORMAT or not isinstance(page.get("weights"), list):
            raise WeightsError(
                f"Weights registry {self.registry_file} has format {found!r}, this cbir reads {_FORMAT}; "
                "update cbir, or move it away."
            )
        return tuple(WeightsRecord.from_dict(_table(each)) for each in cast("list[object]", page["weights"]))

    def record(self, source: str) -> WeightsRecord | None:
        """What is remembered of a source.

        Raises:
            WeightsError: the registry can't be read.
        """
        return next((each for each in self.records() if each.source == source), None)

    def find(self, sha256: str) -> Path | None:
        """The file of that sha256, as it was installed; its bytes are not looked at."""
        path = self._path(sha256)
        return path if path.is_file() else None

    def remember(self, records: Iterable[WeightsRecord]) -> None:
        """Write records down; from now on another file from the same source is refused.

        Raises:
            WeightsError: a source is remembered with another sha256; nothing is written then.
        """
        new = {each.source: each for each in records}
        with self._locked():
            old = {each.source: each for each in self.records()}
            for source in new.keys() & old.keys():
                if new[source].sha256 != old[source].sha256:
                    raise WeightsError(changed(old[source], new[source].sha256, self))
            kept = {**new, **old}
            page = {"format": _FORMAT, "weights": [kept[source].to_dict() for source in sorted(kept)]}
            with tempfile.NamedTemporaryFile(
                "w", dir=self.folder, prefix=".registry-", delete=False, encoding="utf-8"
            ) as file:
                json.dump(page, file, indent=1, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(self.registry_file)

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """An empty folder on the same disk, gone afterwards."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = tempfile.mkdtemp(dir=self.folder, prefix=".incoming-")
        try:
            yield Path(name)
        finally:
            shutil.rmtree(name, ignore_errors=True)

    def place(self, path: Path, sha256: str) -> Path:
        """Move a checked file from `incoming` to where `find` looks."""
        target = self._path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return target

    def _path(self, sha256: str) -> Path:
        return self.folder / "files" / sha256

    @contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import FileLock

        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock"):
            yield


def changed(record: WeightsRecord, found: str, store: WeightsStore) -> str:
    """What to say of a source that now gives another file."""
    return (
        f"Weights {record.source} have sha256 {found}, but {record.sha256} since {record.recorded}; "
        f"find out why, and if you trust the new file, take the entry out of {store.registry_file}."
    )


def _table(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise WeightsError(f"An entry about weights is {value!r}; it must be a table.")
    return cast("dict[str, object]", value)
