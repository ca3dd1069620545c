"""The vectors of an image's tiles to the vectors that the image has in an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbir.extractors.fusion import unit_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.extractors.spec import TileSpec


def join_tiles(vectors: NDArray[np.float32], tiles: TileSpec | None) -> NDArray[np.float32]:
    """Average the tiles, or keep each as a part.

    Args:
        vectors: (n_tiles, dim), unit rows, of one image.
        tiles: what the spec says of them; None where the image was taken as a whole.

    Returns:
        (n_parts, dim), unit rows.

    Raises:
        VectorError: the tiles' vectors cancel each other out.
    """
    if len(vectors) == 1 or (tiles and tiles.keep == "parts"):
        return vectors
    return unit_rows(vectors.mean(axis=0, keepdims=True, dtype=np.float32))
