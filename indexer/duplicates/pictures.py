"""Whether two items that are alike show one picture: their thumbnails, hashed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbir.items.phash import TURNS, bits_apart, perceptual_hash, turned_hashes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from indexer.duplicates.report import Pair
    from indexer.index import Index


def compared(index: Index, pair: Pair) -> Pair:
    """Tell a pair how far its pictures are apart; without two that have structure it stays as it is."""
    ours, theirs = (_thumbnail(index, item.id) for item in (pair.first, pair.second))
    if ours is None or theirs is None:
        return pair
    hashes, other = turned_hashes(ours), perceptual_hash(theirs)
    if not hashes or other is None:
        return pair
    n_bits, turn = min((bits_apart(each, other), turn) for turn, each in enumerate(hashes))
    return replace(pair, n_bits=n_bits, turn=TURNS[turn])


def _thumbnail(index: Index, item_id: str) -> NDArray[np.uint8] | None:
    import cv2

    jpeg = index.thumbnail(item_id)
    if not jpeg:
        return None
    pixels = cv2.imdecode(np.frombuffer(jpeg, dtype=np.uint8), cv2.IMREAD_GRAYSCALE)
    return None if pixels is None else np.asarray(pixels, dtype=np.uint8)
