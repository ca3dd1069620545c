"""A look-up table of a DICOM file: the item of a Modality or VOI LUT Sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cbir.images.dicom.values import blob, numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

_N_DESCRIPTORS = 3
_SIGNED_FROM = 1 << 15
_MAX_BITS = 16
_BYTE_BITS = 8


@dataclass(frozen=True, slots=True)
class Lut:
    """Entries for inputs from ``first`` on; inputs beyond an end take that end's entry.

    Args:
        first: the input of entry 0.
        entries: (n,), n >= 1.
        bits: an entry's full scale is 2**bits - 1.
    """

    first: int
    entries: NDArray[np.float64]
    bits: int

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Look up; inputs are rounded to whole numbers."""
        index = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1).astype(np.intp)
        found: NDArray[np.float64] = self.entries[index]
        return found

    def scaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Look up, with full scale at 1."""
        return self(values) / ((1 << self.bits) - 1)


def read_lut(item: Dataset, *, signed: bool) -> Lut | None:
    """Read a table; None when there is none, or a useless one.

    Args:
        item: of the sequence.
        signed: whether inputs can be negative, so that a first input of 2**15 and more means one.
    """
    described = numbers(item, "LUTDescriptor")
    if len(described) != _N_DESCRIPTORS:
        return None
    n_entries, first, bits = (int(each) for each in described)
    n_entries = n_entries & 0xFFFF or 1 << 16
    if signed and first >= _SIGNED_FROM:
        first -= 1 << 16
    entries = _entries(item, n_entries)
    if entries is None:
        return None
    needed = int(entries.max()).bit_length()
    if not 0 < bits <= _MAX_BITS or needed > bits:
        bits = _MAX_BITS if needed > _BYTE_BITS else _BYTE_BITS  # an impossible depth gives way
    return Lut(first, entries, bits)


def _entries(item: Dataset, n_entries: int) -> NDArray[np.float64] | None:
    raw = blob(item, "LUTData")
    if raw is None:
        found = np.array(numbers(item, "LUTData"), np.float64) % (1 << 16)
    elif len(raw) >= 2 * n_entries:
        is_little = item.original_encoding[1] is not False
        found = np.frombuffer(raw, "<u2" if is_little else ">u2", n_entries).astype(np.float64)
    else:  # entries of 8 bits, one a byte
        found = np.frombuffer(raw, np.uint8).astype(np.float64)
    return found[:n_entries] if len(found) else None
