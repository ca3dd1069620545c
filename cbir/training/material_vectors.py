"""Material as an extractor sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cbir.extractors.build import load_resolved
from cbir.training.embedding import embed_files

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.extractors.build import ResolvedExtractor
    from cbir.images.decoding import Unread
    from cbir.training.material import Material
    from cbir.training.run.options import RunOptions, Watcher


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedMaterial:
    """Images and their vectors.

    Args:
        material: the images that could be read.
        contents: (n_images,), each file's sha256.
        unread: the others.
        vectors: (n_images, dim), unit rows; of several frames the first.
    """

    material: Material
    contents: tuple[str, ...]
    unread: tuple[Unread, ...]
    vectors: NDArray[np.float32]


def embed_material(
    resolved: ResolvedExtractor, material: Material, options: RunOptions, watch: Watcher
) -> EmbeddedMaterial:
    """Embed images where networks run in this training.

    Raises:
        CbirError: the extractor can't be opened, or decoding workers can't be started.
    """
    watch.begin(f"embedding with {resolved.spec.name}", len(material.images))
    extractor = load_resolved(resolved, allow_pickle=options.allow_pickle, device=options.torch_device)
    paths = [image.path for image in material.images]
    found = embed_files(extractor, paths, options.decoding, on_file=watch.advance)
    rows, first = np.unique(found.rows, return_index=True)
    contents = tuple(found.contents[int(row)] for row in rows)
    return EmbeddedMaterial(material.take(rows), contents, found.unread, found.vectors[first])
