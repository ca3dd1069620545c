"""An extractor whose networks load while something else is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from cbir.extractors.spec import ExtractorSpec
from cbir.types import Embedder


class LoadingEmbedder:
    """An ``Embedder`` that begins to load in a thread at once, and is waited for by its first ``embed``.

    Args:
        spec: known before the networks are.
        load: gives the extractor of this spec; what it raises, ``embed`` raises.
    """

    def __init__(self, spec: ExtractorSpec, load: Callable[[], Embedder]) -> None:
        self._spec = spec
        threads = ThreadPoolExecutor(1, thread_name_prefix="cbir-load")
        self._loading: Future[Embedder] = threads.submit(load)
        threads.shutdown(wait=False)

    @property
    def fingerprint(self) -> str:
        """Of the spec that decides the vectors' numbers."""
        return self._spec.fingerprint

    @property
    def dim(self) -> int:
        """Of the vectors."""
        return self._spec.dim

    def embed(self, prepared: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """As ``Embedder.embed``, when the networks are there."""
        return self._loading.result().embed(prepared)
