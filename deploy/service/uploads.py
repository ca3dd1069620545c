"""Images that callers send, as queries: decoders and networks of one extractor, kept warm."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from cbir.errors import FingerprintError
from cbir.extractors.loading import LoadingEmbedder
from cbir.extractors.spec.views import FIVE, ORIGINAL
from cbir.images.pool import DecodePool
from indexer.asking.query import QueryImage, embed_image

if TYPE_CHECKING:
    from cbir.images.tiles import Box
    from deploy.service.settings import ServiceSettings
    from indexer.index import Index


@dataclass(frozen=True)
class Upload:
    """An image that was sent.

    Args:
        data: the whole file.
        region: of it; None for the whole.
        tta: with five views, or with one; None as the index says.
    """

    data: bytes
    region: Box | None = None
    tta: bool | None = None

    @cached_property
    def sha256(self) -> str:
        """Of the file, in hex."""
        return hashlib.sha256(self.data).hexdigest()


class Uploads:
    """Turns images into queries of the indexes of one extractor; threads may share it.

    The networks begin to load at once, in a thread, and the first image waits for them. Views that nobody
    has asked for yet have neither decoders nor networks.
    """

    def __init__(self, index: Index, settings: ServiceSettings) -> None:
        """Make ready for the images of an index.

        Args:
            index: of the extractor; its model is read.
            settings: limits, and how many images at once.
        """
        self.fingerprint = index.fingerprint
        self._can_embed = index.spec.can_embed
        self._spec, self._model = index.spec, index.model_dir
        self._settings = settings
        self._lock = threading.Lock()
        self._ready: dict[tuple[str, ...] | None, tuple[DecodePool, LoadingEmbedder]] = {}
        if self._can_embed:
            self._of(None)

    def query(self, index: Index, upload: Upload) -> QueryImage:
        """Decode and embed an image; blocks.

        Raises:
            FingerprintError: the index has no network.
            CbirError: as ``embed_image``.
        """
        if not self._can_embed:
            raise FingerprintError("The index holds imported embeddings and no network.")
        pool, embedder = self._of(None if upload.tta is None else FIVE if upload.tta else (ORIGINAL,))
        return embed_image(
            index, upload.data, upload.sha256, pool=pool, embedder=embedder, region=upload.region
        )

    def close(self) -> None:
        """Kill the decoders."""
        with self._lock:
            for pool, _ in self._ready.values():
                pool.close()
            self._ready.clear()

    def _of(self, tta: tuple[str, ...] | None) -> tuple[DecodePool, LoadingEmbedder]:
        with self._lock:
            if tta not in self._ready:
                self._ready[tta] = self._started(tta)
            return self._ready[tta]

    def _started(self, tta: tuple[str, ...] | None) -> tuple[DecodePool, LoadingEmbedder]:
        from cbir.extractors.exported import open_exported

        spec = self._spec
        pool = DecodePool(
            spec.read, spec.plans(tta), tiles=spec.tiles.grid if spec.tiles else None, slides=spec.slides,
            limits=self._settings.limits, n_workers=self._settings.n_workers,
            hash_key=self._settings.patient_key,
        )  # fmt: skip
        pool.start()
        return pool, LoadingEmbedder(spec, partial(open_exported, spec, self._model, tta=tta))
