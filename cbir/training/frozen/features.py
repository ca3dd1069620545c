"""What frozen extractors say of images: decoded and embedded once, then kept by content."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import ImageError
from cbir.images.decoding import Decoding, Unread
from cbir.images.files import read_file
from cbir.training.embedding import EmbeddedImages, embed_files, refuse_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from cbir.extractors.build import ResolvedExtractor
    from cbir.extractors.extractor import Extractor


@dataclass(frozen=True, slots=True)
class Features:
    """How vectors of frozen extractors come about; nothing of it decides a number.

    Args:
        cache: a folder, of this machine alone: a file an image, by the extractor's fingerprint and the
            image's sha256. None keeps nothing.
        decoding: how files are decoded.
        device: as torch names it; on the CPU the exported networks run, as in ``cbir index build``.
        allow_pickle: also read weights that are PyTorch pickles.
    """

    cache: Path | None = None
    decoding: Decoding = Decoding()  # noqa: RUF009 - frozen
    device: str = "cpu"
    allow_pickle: bool = False


def embed_once(
    resolved: ResolvedExtractor,
    paths: Sequence[str],
    features: Features | None = None,
    *,
    on_file: Callable[[], None] = lambda: None,
) -> EmbeddedImages:
    """Give the vectors of files, those in the cache without decoding an image or opening a network.

    A file that changed has another sha256, and is embedded anew. A damaged entry of the cache counts as none,
    and a cache that can't be written is no reason to fail.

    Args:
        resolved: the extractor.
        paths: absolute.
        features: None for the defaults.
        on_file: called after each file.

    Raises:
        CbirError: the extractor can't be opened, or decoding workers can't be started.
        SpecError: the extractor gives an image several vectors.
    """
    refuse_parts(resolved.spec)
    features = features or Features()
    if features.cache is None:
        return embed_files(_open(resolved, features), paths, features.decoding, on_file=on_file)
    kept = _Kept(features.cache / resolved.spec.fingerprint, resolved.spec.dim)
    there: dict[int, tuple[str, NDArray[np.float32]]] = {}
    unread: list[Unread] = []
    missing: list[int] = []
    for row, path in enumerate(paths):
        try:
            sha256 = read_file(path, features.decoding.limits).sha256
        except ImageError as error:
            unread.append(Unread(path, error.reason, error.detail))
            continue
        vectors = kept.get(sha256)
        if vectors is None:
            missing.append(row)
            continue
        there[row] = sha256, vectors
        on_file()
    if missing:
        chosen = [paths[row] for row in missing]
        fresh = embed_files(_open(resolved, features), chosen, features.decoding, on_file=on_file)
        unread += fresh.unread
        for place, sha256 in fresh.contents.items():
            vectors = fresh.vectors[fresh.rows == place]
            kept.put(sha256, vectors)
            there[missing[place]] = sha256, vectors
    return _joined(there, unread, resolved.spec.dim)


@dataclass(frozen=True, slots=True)
class _Kept:
    """Vectors of one extractor, an .npy a file: (n_frames, dim)."""

    folder: Path
    dim: int

    def get(self, sha256: str) -> NDArray[np.float32] | None:
        try:
            vectors = np.load(self._path(sha256), allow_pickle=False)
        except (OSError, ValueError):
            return None
        fits = vectors.ndim == 2 and vectors.shape[1] == self.dim and vectors.dtype == np.float32  # noqa: PLR2004
        return vectors if fits and len(vectors) and np.isfinite(vectors).all() else None

    def put(self, sha256: str, vectors: NDArray[np.float32]) -> None:
        path = self._path(sha256)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, fresh = tempfile.mkstemp(dir=path.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    np.save(file, vectors, allow_pickle=False)
                Path(fresh).replace(path)
            finally:
                Path(fresh).unlink(missing_ok=True)

    def _path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / f"{sha256}.npy"


def _joined(
    there: dict[int, tuple[str, NDArray[np.float32]]], unread: Sequence[Unread], dim: int
) -> EmbeddedImages:
    rows = [row for row in sorted(there) for _ in there[row][1]]
    vectors = [there[row][1] for row in sorted(there)]
    return EmbeddedImages(
        np.array(rows, dtype=np.intp),
        np.concatenate(vectors) if vectors else np.zeros((0, dim), dtype=np.float32),
        {row: sha256 for row, (sha256, _) in sorted(there.items())},
        tuple(unread),
    )


def _open(resolved: ResolvedExtractor, features: Features) -> Extractor:
    if features.device != "cpu":
        from cbir.extractors.build import load_resolved

        return load_resolved(resolved, allow_pickle=features.allow_pickle, device=features.device)
    from cbir.extractors.exported import open_exported
    from cbir.extractors.exported_cache import put_exported

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        put_exported(resolved, folder, allow_pickle=features.allow_pickle)
        return open_exported(resolved.spec, folder, runtime="openvino")
