"""Decoded pixels on disk: a file an image and plan, whole or not there."""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import xxhash

from cbir.errors import TrainingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.training.feeding.decoded.plan import CachedPlan

    Kept = NDArray[np.uint8] | NDArray[np.float32]

_INCOMING = "incoming"
_ABANDONED_S = 3600.0
_WHITE = 255.0
_CHECKSUM_BYTES = 16

# The only places where bytes leave for the disk. Tests make them fail.
_write: Callable[[int, memoryview], int] = os.write
_replace: Callable[[Path, Path], None] = os.replace


class PixelStore:
    """The images of one plan, by the sha256 of their files. Several runs may use one folder at a time.

    A file holds the planes, grey ones once, and a checksum: what a crash or the disk spoiled is decoded anew.

    Args:
        folder: of all plans; made when something is written.
        plan: what is kept.
        key: of the plan.
    """

    def __init__(self, folder: Path, plan: CachedPlan, key: str) -> None:
        self.plan = plan
        self._folder = folder / key[:16]
        self._incoming = folder / _INCOMING

    def has(self, sha256: str) -> bool:
        """Whether the image is there, and whole; reads it."""
        try:
            data = memoryview(self._path(sha256).read_bytes())
        except OSError:
            return False
        pixels, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
        return len(pixels) in self._sizes and xxhash.xxh3_128_digest(pixels) == checksum

    def put(self, sha256: str, prepared: NDArray[np.float32]) -> None:
        """Keep an image.

        Args:
            sha256: of its file.
            prepared: (channels, height, width), as the plan's steps leave it.

        Raises:
            TrainingError: the disk refused; nothing is left of it.
        """
        pixels = np.ascontiguousarray(self._kept(prepared)).data.cast("B")
        path = self._path(sha256)
        beside = self._incoming / f"{sha256}-{secrets.token_hex(4)}"
        with refused(path):
            try:
                self._incoming.mkdir(parents=True, exist_ok=True)
                path.parent.mkdir(parents=True, exist_ok=True)
                _write_whole(beside, (pixels, memoryview(xxhash.xxh3_128_digest(pixels))))
                _replace(beside, path)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise

    def read(self, sha256: str, into: Kept) -> None:
        """Read an image that ``has`` found.

        Args:
            sha256: of its file.
            into: (channels, height, width), to be filled.

        Raises:
            TrainingError: it is not there any more, or cut off.
        """
        path = self._path(sha256)
        try:
            found = np.fromfile(path, dtype=np.uint8)[:-_CHECKSUM_BYTES]
        except OSError as error:
            raise _gone(path, error.strerror or str(error)) from error
        if found.size not in self._sizes:
            raise _gone(path, f"{found.size} bytes of {self._sizes[-1]}")
        into[...] = found.view(self.plan.dtype).reshape(-1, *self.plan.shape[1:])

    def remove_abandoned(self) -> None:
        """Delete what killed runs were writing an hour ago or more."""
        with contextlib.suppress(OSError):
            for each in self._incoming.iterdir():
                if time.time() - each.stat().st_mtime > _ABANDONED_S:
                    each.unlink(missing_ok=True)

    @property
    def _sizes(self) -> tuple[int, ...]:
        """A file's, in bytes, without the checksum: in 8 bits grey is one plane."""
        n_bytes = math.prod(self.plan.shape) * self.plan.dtype.itemsize
        return (n_bytes // self.plan.shape[0], n_bytes) if self.plan.is_8_bit else (n_bytes,)

    def _kept(self, prepared: NDArray[np.float32]) -> Kept:
        if not self.plan.is_8_bit:
            return prepared
        pixels = np.rint(prepared * np.float32(_WHITE)).astype(np.uint8)
        first: NDArray[np.uint8] = pixels[:1]
        return first if (pixels == first).all() else pixels

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256


class Pixels:
    """The images of a material in one plan, to be read in batches; nothing is held in memory.

    Args:
        store: where they are.
        contents: (n_images,), each file's sha256.
    """

    def __init__(self, store: PixelStore, contents: Sequence[str]) -> None:
        self._store = store
        self._contents = tuple(contents)

    def __len__(self) -> int:
        return len(self._contents)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of an image: (channels, height, width)."""
        return self._store.plan.shape

    def __getitem__(self, rows: Sequence[int] | NDArray[np.intp]) -> Kept:
        """Read a batch: (n_rows, channels, height, width), uint8 or float32, its own copy.

        Raises:
            TrainingError: a file is not there any more.
        """
        batch = np.empty((len(rows), *self.shape), dtype=self._store.plan.dtype)
        for place, row in enumerate(rows):
            self._store.read(self._contents[row], batch[place])
        return cast("Kept", batch)


@contextlib.contextmanager
def refused(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into one line."""
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"Could not write the decoded image {path}: {error.strerror or error}. Make room, or name "
            "another folder for decoded images; those that are there stay, and the next run goes on."
        ) from error


def _write_whole(path: Path, parts: Sequence[memoryview]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        for part in parts:
            start = 0
            while start < len(part):
                start += _write(descriptor, part[start:])
    finally:
        os.close(descriptor)


def _gone(path: Path, why: str) -> TrainingError:
    return TrainingError(
        f"The decoded image {path} can't be read: {why}. Run again: it will be decoded anew."
    )
