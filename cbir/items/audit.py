"""Whether a split leaks: whether anything stands on both sides of it."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cbir.items.phash import N_BITS, NEAR_BITS, TURNS
from cbir.items.split import names_alone, split_hash

LeakKind = Literal["group", "file", "picture"]

_BLOCK_ROWS = 256
_FIRST_WORDS = 5


@dataclass(frozen=True, slots=True)
class Audited:
    """An item of a split.

    Args:
        path: of its file.
        split: where it is.
        group: the patient; None when unknown.
        sha256: of the file's bytes; None when it was not read.
        phash: as ``perceptual_hash`` gives it; None when there is none.
        turned: as ``turned_hashes`` gives them; empty leaves copies out that are turned or mirrored.
    """

    path: str
    split: str
    group: str | None = None
    sha256: str | None = None
    phash: bytes | None = None
    turned: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Leak:
    """Something that two splits share.

    Args:
        kind: ``group``: the patient; ``file``: the very same bytes; ``picture``: nearly the same picture.
        first: an item on one side.
        second: one on the other.
        shared: what they share: the group, the hash, or how many bits of the perceptual hashes differ, and
            what was done to the first picture to make it the second.
    """

    kind: LeakKind
    first: Audited
    second: Audited
    shared: str


def find_leaks(items: Sequence[Audited], *, near_bits: int = NEAR_BITS) -> list[Leak]:
    """Find what crosses a split.

    A group, or the bytes of a file, is told once for each two splits that it is in, by the first item on
    either side; pictures are told pair by pair, but for those whose bytes are told already.

    Args:
        items: in any order.
        near_bits: how many bits the perceptual hashes of one picture may differ in.

    Returns:
        Groups first, then files, then pictures; empty when nothing crosses.
    """
    leaks = [*_shared(items, "group", lambda item: item.group)]
    leaks += _shared(items, "file", lambda item: item.sha256)
    leaks += _alike(items, near_bits)
    return leaks


def hash_of_split(items: Sequence[Audited]) -> str | None:
    """Compute the hash of the split that items are in, as ``split_hash`` does.

    Returns:
        None when a group is in two splits: then there is no split by group. An item without a group is one
        of its own, as in ``names_alone``.
    """
    split: dict[str, str] = {}
    alone = names_alone([item.path for item in items])
    for item in items:
        if split.setdefault(item.group or alone[item.path], item.split) != item.split:
            return None
    return split_hash(split)


def _shared(items: Sequence[Audited], kind: LeakKind, key: Callable[[Audited], str | None]) -> Iterator[Leak]:
    first_in: dict[str, dict[str, Audited]] = defaultdict(dict)
    for item in items:
        value = key(item)
        if value is not None:
            first_in[value].setdefault(item.split, item)
    for value, sides in first_in.items():
        for first, second in itertools.combinations(sides.values(), 2):
            yield Leak(kind, first, second, value)


def _alike(items: Sequence[Audited], near_bits: int) -> Iterator[Leak]:
    sides: dict[str, list[Audited]] = defaultdict(list)
    for item in items:
        if item.phash is not None:
            sides[item.split].append(item)
    words = {name: _words([item.phash or b"" for item in side]) for name, side in sides.items()}
    for one, other in itertools.combinations(sides, 2):
        for (i, j), (n_bits, turn) in sorted(_nearest(sides[one], words[other], near_bits).items()):
            first, second = sides[one][i], sides[other][j]
            if first.sha256 is None or first.sha256 != second.sha256:
                how = f", {TURNS[turn]}" if turn else ""
                yield Leak("picture", first, second, f"{n_bits} of {N_BITS} bits differ{how}")


def _nearest(
    ours: Sequence[Audited], theirs: NDArray[np.uint64], near_bits: int
) -> dict[tuple[int, int], tuple[int, int]]:
    """Pairs that are near, with the fewest bits that differ, and the turn of ours at which they do."""
    nearest: dict[tuple[int, int], tuple[int, int]] = {}
    for turn in range(len(TURNS)):
        rows = [i for i, item in enumerate(ours) if turn == 0 or item.turned]
        hashes = [ours[i].turned[turn] if turn else ours[i].phash or b"" for i in rows]
        for row, j, n_bits in _near_pairs(_words(hashes), theirs, near_bits):
            pair = (rows[row], j)
            nearest[pair] = min(nearest.get(pair, (n_bits, turn)), (n_bits, turn))
    return nearest


def _words(hashes: Sequence[bytes]) -> NDArray[np.uint64]:
    """(n, words) of 64 bits."""
    return np.frombuffer(b"".join(hashes), dtype=np.uint64).reshape(len(hashes), N_BITS // 64)


def _near_pairs(
    ours: NDArray[np.uint64], theirs: NDArray[np.uint64], near_bits: int
) -> Iterator[tuple[int, int, int]]:
    """Count the first words of every pair; the others only where it can still be near."""
    for start in range(0, len(ours), _BLOCK_ROWS):
        block = ours[start : start + _BLOCK_ROWS]
        distance = np.zeros((len(block), len(theirs)), dtype=np.uint16)
        for word in range(_FIRST_WORDS):
            distance += np.bitwise_count(block[:, word, None] ^ theirs[None, :, word])
        rows, columns = np.nonzero(distance <= near_bits)
        rest = np.bitwise_count(block[rows, _FIRST_WORDS:] ^ theirs[columns, _FIRST_WORDS:])
        counts = distance[rows, columns] + rest.sum(axis=1, dtype=np.uint16)
        for i, j, n_bits in zip(rows, columns, counts, strict=True):
            if n_bits <= near_bits:
                yield start + int(i), int(j), int(n_bits)
