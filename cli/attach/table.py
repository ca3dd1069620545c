"""What a classifier has said of an index's items so far."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self, cast

import numpy as np

from cbir.errors import SpecError
from classifiers.attached import AttachedClassifier, AttachedSettings, is_classifier
from deploy.labelling.labels import ATTACHMENT
from indexer.attachments import ItemValues
from indexer.attachments.names import check_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from indexer.storage.records import JSON
    from indexer.writer import IndexWriter


class PosteriorTable:
    """Posteriors by item, which go to the index when they are told to."""

    def __init__(
        self, name: str, settings: AttachedSettings, ids: Sequence[str], posteriors: NDArray[np.float32]
    ) -> None:
        """Not to be called: see ``begin``."""
        self.ids = ids
        self.posteriors = posteriors
        self.learned = np.zeros(len(ids), dtype=np.bool_)
        self._name = name
        self._settings = settings

    @classmethod
    def begin(cls, writer: IndexWriter, name: str, blank: AttachedSettings, ids: Sequence[str]) -> Self:
        """What the same classifier said before, where it is attached; else nothing.

        Args:
            writer: of the index.
            name: to attach it under.
            blank: the settings of one that was never attached.
            ids: of all items.

        Raises:
            SpecError: a name that can't be, or is that of something else.
        """
        check_name(name)
        if name == ATTACHMENT:
            raise SpecError(
                f"{name!r} is where cbir classify calibrate writes: choose another name with --name."
            )
        unknown = np.full((len(ids), len(blank.classes)), np.nan, dtype=np.float32)
        if name not in writer.attachments():
            return cls(name, blank, ids, unknown)
        there = writer.attachment(name)
        if not is_classifier(there.settings):
            raise SpecError(f"{name!r} of {writer.path} is no classifier: choose another name with --name.")
        before = AttachedSettings.from_dict(there.settings)
        if before.fingerprint != blank.fingerprint:
            return cls(name, blank, ids, unknown)
        posteriors = AttachedClassifier(name, before, there.values).posteriors(ids)
        return cls(name, replace(before, label=blank.label), ids, posteriors)

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """(n_items,), whether there is a posterior."""
        return np.asarray(np.isfinite(self.posteriors).all(axis=1))

    @property
    def n_known(self) -> int:
        """How many items have one."""
        return int(self.is_known.sum())

    def commit(self, writer: IndexWriter, files: Mapping[str, Path]) -> None:
        """Publish what is known, in the place of what was.

        Args:
            writer: of the index.
            files: of the classifier, by name.
        """
        rows = np.flatnonzero(self.is_known)
        values = np.hstack([self.posteriors[rows], self.learned[rows, np.newaxis]]).astype(np.float32)
        known = ItemValues(self._settings.columns, [self.ids[row] for row in rows.tolist()], values)
        settings = cast("JSON", self._settings.to_dict())
        writer.attach(self._name, settings=settings, files=files, values=known)
        writer.commit()
