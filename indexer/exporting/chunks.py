"""The rows of an export, a few at a time."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from indexer.listing import pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from indexer.listing import Listed
    from indexer.storage.opened import Opened

_BYTES = 16 << 20
_MOST = 1 << 16


def chunks(opened: Opened) -> Iterator[list[tuple[Listed, int]]]:
    """Every item with the number of a part of it, in the order of paths, frames, parts.

    A chunk's embeddings are at most 16 MiB, however many parts an image has.
    """
    size = min(_MOST, max(1, _BYTES // (4 * opened.embeddings.dim)))
    each = (
        (listed, part)
        for page in pages(opened.catalog)
        for listed in page
        for part in range(len(listed.rows))
    )
    while chunk := list(islice(each, size)):
        yield chunk


def vectors(chunk: list[tuple[Listed, int]], opened: Opened) -> NDArray[np.float32]:
    """Their embeddings, (n, dim)."""
    rows = np.array([listed.rows[part] for listed, part in chunk], dtype=np.int64)
    return opened.embeddings.gather(rows)
