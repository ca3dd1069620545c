"""A table of vectors by image: how it is given, written and looked up.

A row belongs to an image (the sha256 of a file's bytes, and the frame), not to an item: it is known again
when a file is moved, copied or comes back, and no longer when the item's file has other bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import VectorError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from indexer.catalog import ImageKey

FLOAT = np.dtype("<f4")
_SHA256_BYTES = 16
_FRAME_BYTES = 4
KEY = np.dtype(f"S{_SHA256_BYTES + _FRAME_BYTES}")
"""The first half of the sha256, then the frame: no two images of an index meet in 128 bits."""


@dataclass(frozen=True, slots=True)
class ItemValues:
    """A vector an item; items of the same image share one.

    Args:
        columns: what each number is, d names.
        ids: of the items, n; one that the index does not have is passed over.
        values: (n, d), finite.
    """

    columns: tuple[str, ...]
    ids: Sequence[str]
    values: NDArray[np.float32]

    def check(self) -> None:
        """Refuse what can't be kept.

        Raises:
            VectorError: another shape, or values that are not finite.
        """
        expected = (len(self.ids), len(self.columns))
        if self.values.shape != expected:
            raise VectorError(
                f"Values have the shape {self.values.shape}; ids and columns ask for {expected}."
            )
        if not np.isfinite(self.values).all():
            raise VectorError("Values are not finite: leave out the items whose values are not known.")


@dataclass(frozen=True, slots=True)
class ImageValues:
    """Vectors by image, ascending by key.

    Args:
        keys: (n,) of KEY.
        values: (n, d).
    """

    keys: NDArray[np.bytes_]
    values: NDArray[np.float32]

    def __len__(self) -> int:
        """Images."""
        return len(self.keys)

    @classmethod
    def empty(cls) -> ImageValues:
        """Without images or columns."""
        return cls(np.empty(0, dtype=KEY), np.empty((0, 0), dtype=FLOAT))

    @classmethod
    def of_items(cls, said: ItemValues, images: Mapping[str, ImageKey]) -> ImageValues:
        """The table of what was said of items; of two rows for one image the last holds."""
        rows = {key_of(images[each]): row for row, each in enumerate(said.ids) if each in images}
        keys = np.array(list(rows), dtype=KEY)
        order = np.argsort(keys, kind="stable")
        picked = np.array(list(rows.values()), dtype=np.int64)[order]
        return cls(keys[order], said.values[picked].astype(FLOAT))

    @classmethod
    def from_bytes(cls, keys: memoryview, values: memoryview, n_columns: int) -> ImageValues:
        """The table as ``to_bytes`` gave it; nothing is copied.

        Raises:
            ValueError: the two do not fit each other.
        """
        table = np.frombuffer(values, dtype=FLOAT)
        return cls(np.frombuffer(keys, dtype=KEY), table.reshape(len(keys) // KEY.itemsize, n_columns))

    def to_bytes(self) -> tuple[bytes, bytes]:
        """Keys and values."""
        return self.keys.tobytes(), self.values.astype(FLOAT, copy=False).tobytes()

    def of(self, images: Sequence[ImageKey | None]) -> NDArray[np.float32]:
        """(n, d) of these images; rows of NaN for None and for what is not known."""
        found = np.full((len(images), self.values.shape[1]), np.nan, dtype=np.float32)
        if not len(self.keys) or not images:
            return found
        asked = np.array([b"" if image is None else key_of(image) for image in images], dtype=KEY)
        rows = np.searchsorted(self.keys, asked).clip(max=len(self.keys) - 1)
        is_known = (self.keys[rows] == asked) & np.array([image is not None for image in images])
        found[is_known] = self.values[rows[is_known]]
        return found

    def only(self, images: Collection[ImageKey]) -> ImageValues:
        """The rows of these images."""
        kept = np.isin(self.keys, np.array([key_of(image) for image in images], dtype=KEY))
        return ImageValues(self.keys[kept], self.values[kept])


def key_of(image: ImageKey) -> bytes:
    """What an image is known by in a table."""
    sha256, frame = image
    return sha256[:_SHA256_BYTES] + frame.to_bytes(_FRAME_BYTES, "big")
