"""An attached classifier at a query: it sees the image as the extractor does, decoded once for both."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Self

import numpy as np

from deploy.labelling.attached import attached_classifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.extractors.spec import ExtractorSpec
    from cbir.images.settings import ReadSpec
    from cbir.images.steps import Step
    from cbir.images.tiles import Box
    from cbir.types import Embedder
    from classifiers.attached import AttachedClassifier
    from classifiers.classifier import Classifier
    from classifiers.spec import ClassifierSpec
    from cli.settings import Settings
    from indexer.index import Index


class QueryClassifier:
    """What an attached classifier says of one query: of an item what is stored, of an image what it sees.

    Its network begins to load, in a thread, when an image is announced by ``plans``; items need none.
    """

    def __init__(self, index: Index, there: AttachedClassifier) -> None:
        """Not to be called: see ``of``."""
        self.there = there
        self.posterior: NDArray[np.float32] = np.full(len(there.settings.classes), np.nan, dtype=np.float32)
        self._index = index
        self._spec: ClassifierSpec | None = None
        self._read: ReadSpec | None = None
        self._loading: Future[Classifier] | None = None

    @classmethod
    def of(cls, index: Index, name: str) -> Self:
        """The one that is attached under a name.

        Raises:
            AttachmentError: there is none.
        """
        return cls(index, attached_classifier(index, name))

    def take_item(self, item_id: str) -> None:
        """The query is an item of the index."""
        self.posterior = self.there.posteriors([item_id])[0]

    def plans(self, extractor: ExtractorSpec) -> tuple[tuple[Step, ...], ...]:
        """What to do to the query's image beside the extractor's plans; nothing where that can't be shared.

        It can't where the two read a file in different ways, or the extractor cuts it in tiles: ``look``
        decodes the image again then.
        """
        from classifiers.classifier import open_classifier
        from classifiers.folder import read_spec

        folder = self._index.attachment(self.there.name).folder
        self._spec = read_spec(folder)
        self._read = replace(self._spec.read, frames=extractor.read.frames)
        threads = ThreadPoolExecutor(1, thread_name_prefix="cbir-load")
        self._loading = threads.submit(partial(open_classifier, folder))
        threads.shutdown(wait=False)
        is_shared = self._read == extractor.read and extractor.tiles is None
        return self._spec.plans() if is_shared else ()

    def beside(self, embedder: Embedder, n_own: int) -> Embedder:
        """The embedder, which leaves all but the first plans to the classifier."""
        return _Beside(embedder, n_own, self)

    def look(self, data: bytes, settings: Settings, region: Box | None) -> None:
        """Decode an image for the classifier alone, where that could not be shared."""
        if self._spec is None or self._read is None or not np.isnan(self.posterior).any():
            return
        from cbir.images.pool import DecodePool
        from indexer.asking.query import middle_frame

        with DecodePool(self._read, self._spec.plans(), limits=settings.limits, n_workers=1) as pool:
            self.take_prepared(middle_frame(pool.decode(data, region=region)).prepared)

    def take_prepared(self, prepared: Sequence[NDArray[np.float32]]) -> None:
        """The query is an image, prepared as the classifier's plans say."""
        if self._loading is None:
            raise RuntimeError("The classifier's plans were never asked for.")
        self.posterior = self._loading.result().answer(prepared).posteriors[0].astype(np.float32)


class _Beside:
    """Implements :class:`cbir.types.Embedder`."""

    def __init__(self, embedder: Embedder, n_own: int, classifier: QueryClassifier) -> None:
        self._embedder = embedder
        self._n_own = n_own
        self._classifier = classifier

    @property
    def fingerprint(self) -> str:
        return self._embedder.fingerprint

    @property
    def dim(self) -> int:
        return self._embedder.dim

    def embed(self, prepared: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        if len(prepared) > self._n_own:
            self._classifier.take_prepared(prepared[self._n_own :])
        return self._embedder.embed(prepared[: self._n_own])
