"""Attached classifiers at the queries of callers: what is stored of items, what they see in images."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from deploy.labelling.attached import attached_classifier
from deploy.labelling.predicting import Look

if TYPE_CHECKING:
    from cbir.images.pool import DecodePool
    from cbir.images.tiles import Box
    from classifiers.classifier import Classifier
    from deploy.service.settings import ServiceSettings
    from indexer.index import Index


class AttachedLooking:
    """One classifier of one generation; threads may share it. Its network is opened for its first image."""

    def __init__(self, index: Index, name: str, settings: ServiceSettings) -> None:
        """Take it from an index.

        Raises:
            AttachmentError: the index has none of that name.
        """
        self.there = attached_classifier(index, name)
        self._index = index
        self._settings = settings
        self._lock = threading.Lock()
        self._opened: tuple[DecodePool, Classifier] | None = None

    def at_nothing(self) -> Look:
        """At a query that is neither item nor image."""
        return Look(self.there, np.full(len(self.there.settings.classes), np.nan, dtype=np.float32))

    def at_item(self, item_id: str) -> Look:
        """At an item of the index."""
        return Look(self.there, self.there.posteriors([item_id])[0])

    def at_image(self, data: bytes, region: Box | None) -> Look:
        """At an image, or a region of it; blocks.

        Raises:
            CbirError: no image, or no usable classifier.
        """
        from indexer.asking.query import middle_frame

        pool, classifier = self._ready()
        prepared = middle_frame(pool.decode(data, region=region)).prepared
        return Look(self.there, classifier.answer(prepared).posteriors[0].astype(np.float32))

    def close(self) -> None:
        """Kill the decoders."""
        with self._lock:
            if self._opened is not None:
                self._opened[0].close()
            self._opened = None

    def _ready(self) -> tuple[DecodePool, Classifier]:
        from cbir.images.pool import DecodePool
        from classifiers.classifier import open_classifier

        with self._lock:
            if self._opened is None:
                classifier = open_classifier(self._index.attachment(self.there.name).folder)
                read = replace(classifier.spec.read, frames=self._index.spec.read.frames)
                pool = DecodePool(
                    read, classifier.plans, limits=self._settings.limits, n_workers=self._settings.n_workers
                )
                self._opened = pool, classifier
            return self._opened
