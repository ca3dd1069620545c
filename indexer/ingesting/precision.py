"""What computing in bf16 costs: the first images of a build, embedded once more in float32.

OpenVINO computes in bf16 where the CPU can, and queries run in float32. An index says what that did to its
own images: their cosines, and how many of each one's nearest neighbours stay.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cbir.types import Embedder

if TYPE_CHECKING:
    from indexer.index import Index
    from indexer.writer import IndexWriter

_MEMO = "precision"
N_NEIGHBOURS = 10
_LEAST, _MOST = 2 * N_NEIGHBOURS, 32
"""Images. Of fewer, the ten nearest would be nearly all."""
_MOST_BYTES = 64 << 20
_BASE_S, _SHARE = 4.0, 0.1
"""It may take so long, and so much of the time that embedding took so far."""
_TIMES_SLOWER = 3.0
"""A single image in float32 against one of many in bf16: measured 2.4 to 3."""


@dataclass(frozen=True, slots=True)
class Precision:
    """How near the embeddings of an index are to those in float32.

    Args:
        computed_in: ``bf16`` or ``f32``; ``torch`` where PyTorch embedded.
        n_images: that were embedded twice.
        least_cosine: between an image's two embeddings.
        median_cosine: likewise.
        recall_at_10: the share of each image's ten nearest among the others, all in float32, that a float32
            query finds among the index's own embeddings.
    """

    computed_in: str
    n_images: int
    least_cosine: float
    median_cosine: float
    recall_at_10: float


class MeasuringEmbedder:
    """An ``Embedder`` that keeps its first images until it may embed them again in float32, once.

    Args:
        embedder: embeds.
        reference: opens the same extractor in float32; called when it comes to that.
        computed_in: as in `Precision`; called likewise.
        on_measured: told the result.
    """

    def __init__(
        self,
        embedder: Embedder,
        reference: Callable[[], Embedder],
        computed_in: Callable[[], str],
        on_measured: Callable[[Precision], None],
    ) -> None:
        self._embedder = embedder
        self._reference = reference
        self._computed_in = computed_in
        self._on_measured = on_measured
        self._pixels: list[list[NDArray[np.float32]]] = []
        self._rows: list[NDArray[np.float32]] = []
        self._image_s, self._total_s = float("inf"), 0.0
        self._done = False

    @property
    def fingerprint(self) -> str:
        """Of the spec that decides the vectors' numbers."""
        return self._embedder.fingerprint

    @property
    def dim(self) -> int:
        """Of the vectors."""
        return self._embedder.dim

    def embed(self, prepared: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """As ``Embedder.embed``."""
        started = time.monotonic()
        rows = self._embedder.embed(prepared)
        if self._done:
            return rows
        took_s = time.monotonic() - started
        self._total_s += took_s
        self._image_s = min(self._image_s, took_s / len(rows))  # the first batch waits for the networks
        self._keep(prepared, rows)
        budget_s = _BASE_S + _SHARE * self._total_s
        n_images = min(len(self._rows), int(budget_s / (_TIMES_SLOWER * max(self._image_s, 1e-9))))
        if n_images >= _LEAST:
            self._measure(n_images)
        return rows

    def _keep(self, prepared: Sequence[NDArray[np.float32]], rows: NDArray[np.float32]) -> None:
        most = min(_MOST, _MOST_BYTES // max(sum(batch[0].nbytes for batch in prepared), 1))
        for number in range(min(len(rows), most - len(self._rows))):
            self._pixels.append([batch[number : number + 1].copy() for batch in prepared])
            self._rows.append(rows[number].copy())

    def _measure(self, n_images: int) -> None:
        reference = self._reference()
        exact = np.concatenate([reference.embed(pixels) for pixels in self._pixels[:n_images]])
        self._on_measured(compare(np.stack(self._rows[:n_images]), exact, computed_in=self._computed_in()))
        self._pixels, self._rows, self._done = [], [], True


def measure_once(writer: IndexWriter, embedder: Embedder, *, computed_in: str | None = None) -> Embedder:
    """Let a run measure its precision, unless an earlier one did or there is no network to measure.

    Args:
        writer: of the index, remembers the result with its next commit.
        embedder: of the run.
        computed_in: as in `Precision`; None asks OpenVINO.
    """
    spec, folder = writer.spec, writer.model_dir
    if remembered_precision(writer) or all(branch.is_handcrafted for branch in spec.branches):
        return embedder

    def asked() -> str:
        from cbir.runtime.openvino import cpu_precision

        return computed_in or cpu_precision()

    def open_reference() -> Embedder:
        from cbir.extractors.exported import open_exported

        return open_exported(spec, folder, runtime="onnxruntime")

    return MeasuringEmbedder(embedder, open_reference, asked, partial(remember_precision, writer))


def compare(own: NDArray[np.float32], exact: NDArray[np.float32], *, computed_in: str) -> Precision:
    """Compare embeddings with those of the same images in float32.

    Args:
        own: (n, dim), unit rows, n >= 2.
        exact: likewise.
        computed_in: what ``own`` was computed in.
    """
    cosines = np.einsum("ij,ij->i", own, exact, dtype=np.float64)
    return Precision(
        computed_in=computed_in,
        n_images=len(own),
        least_cosine=float(cosines.min()),
        median_cosine=float(np.median(cosines)),
        recall_at_10=float(np.mean(_nearest(exact, exact)[_nearest(exact, own)])),
    )


def _nearest(queries: NDArray[np.float32], gallery: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n, n): whether a gallery row is among the nearest of a query, which is no neighbour of its own."""
    scores = queries @ gallery.T
    np.fill_diagonal(scores, -np.inf)
    order = np.argsort(-scores, axis=1, kind="stable")[:, : min(N_NEIGHBOURS, len(gallery) - 1)]
    nearest = np.zeros(scores.shape, dtype=np.bool_)
    np.put_along_axis(nearest, order, values=True, axis=1)
    return nearest


def remember_precision(writer: IndexWriter, precision: Precision) -> None:
    """Keep it with the index."""
    writer.set_memo(_MEMO, asdict(precision))


def forget_precision(writer: IndexWriter) -> None:
    """The next run measures it: the index's embeddings are no longer those that it was measured of."""
    writer.set_memo(_MEMO, None)


def remembered_precision(index: Index | IndexWriter) -> Precision | None:
    """What was measured; None when no build had images enough."""
    memo = index.memo(_MEMO)
    return Precision(**memo) if isinstance(memo, dict) else None  # type: ignore[arg-type]  # written by asdict
