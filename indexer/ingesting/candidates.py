"""A file on its way into an index: as it was read, judged and decoded."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace

from cbir.errors import ImageError, SkipReason
from cbir.images.files import FileBytes, SlideFile, read_file_or_slide
from cbir.images.pool import DecodedFrame, DecodePool
from cbir.images.settings import DecodeLimits
from cbir.images.slides.spec import SlideSpec
from cbir.images.tiles import Box
from cbir.items import Found, Refused
from cbir.items.found import Remote
from indexer.ingesting.stopwatch import Stopwatch
from indexer.storage.records import FileRecord


@dataclass(frozen=True, slots=True)
class Skip:
    """It ends here."""

    record: FileRecord


@dataclass(frozen=True, slots=True)
class Wanted:
    """Its bytes are new, as far as is known."""

    found: Found
    file: FileBytes | SlideFile


@dataclass(frozen=True, slots=True)
class Known:
    """Its bytes are in the index, or will be when the files before it are taken."""

    found: Found
    record: FileRecord
    sha256: str


@dataclass(frozen=True, slots=True)
class WantedSlide:
    """A whole slide: decoded when it is taken, for it is embedded as it is read."""

    found: Found
    record: FileRecord
    file: SlideFile


@dataclass(frozen=True, slots=True)
class Decoded:
    """Ready for the network."""

    found: Found
    record: FileRecord
    frames: tuple[DecodedFrame, ...]

    @property
    def n_tiles(self) -> int:
        """How many images the networks are given; without tiles, one a frame."""
        return sum(len(frame.prepared[0]) for frame in self.frames)


Outcome = Decoded | WantedSlide | Known | Skip
"""What is taken, in the order of finding."""


def read_new(
    found: Found | Refused | Known | Skip, *, limits: DecodeLimits, slides: SlideSpec | None, watch: Stopwatch
) -> Wanted | Known | Skip:
    """As ``read``; pass on what is known without."""
    if isinstance(found, Known | Skip):
        return found
    return read(found, limits=limits, slides=slides, watch=watch)


def read(
    found: Found | Refused, *, limits: DecodeLimits, slides: SlideSpec | None, watch: Stopwatch
) -> Wanted | Skip:
    """Read its bytes, or find that it is a slide; any thread may."""
    if isinstance(found, Refused):
        return Skip(_unread(found.path, found.reason, found.detail))
    try:
        with watch.stage("read"):
            if found.remote is not None:
                return Wanted(found, _fetched(found.path, found.remote, limits))
            return Wanted(found, read_file_or_slide(found.path, limits, slides=slides))
    except ImageError as error:
        version = found.remote.version if found.remote and error.reason is SkipReason.TOO_LARGE else 0
        return Skip(_unread(found.path, error.reason, error.detail, version))


def decode(
    judged: Wanted | Known | Skip, *, pool: DecodePool, watch: Stopwatch, region: Box | None = None
) -> Outcome:
    """Decode what is wanted (of an image a region, where one is given), pass on the rest; any thread may."""
    if not isinstance(judged, Wanted):
        return judged
    record = indexed(judged.file)
    if isinstance(judged.file, SlideFile):
        return WantedSlide(judged.found, record, judged.file)
    try:
        with watch.stage("decode"):
            return Decoded(judged.found, record, tuple(pool.decode(judged.file.data, region=region)))
    except ImageError as error:
        return Skip(skipped(record, error.reason, error.detail))


def indexed(file: FileBytes | SlideFile) -> FileRecord:
    """The record of a file that becomes an item."""
    return FileRecord(file.path, file.size, file.mtime_ns, file.sha256, "indexed")


def skipped(record: FileRecord, reason: SkipReason, detail: str) -> FileRecord:
    """The record of a file that was read, and does not become an item."""
    return replace(record, outcome="skipped", reason=reason, detail=detail)


def bytes_on_disk(found: Found | Refused | Known | Skip) -> int:
    """What reading it will hold in memory."""
    if isinstance(found, Found) and found.remote is not None:
        return found.remote.n_bytes
    try:
        return os.lstat(found.path).st_size if isinstance(found, Found) else 0
    except OSError:
        return 0


def bytes_held(judged: Wanted | Known | Skip) -> int:
    """What it holds in memory until it is decoded."""
    if not isinstance(judged, Wanted) or isinstance(judged.file, SlideFile):
        return 0
    return judged.file.size


def _fetched(path: str, remote: Remote, limits: DecodeLimits) -> FileBytes:
    """An instance of a PACS has no time of its own: what the PACS says of it stands there."""
    data = remote.read(limits.max_file_bytes)
    return FileBytes(path, data, len(data), remote.version, hashlib.sha256(data).hexdigest())


def _unread(path: str, reason: SkipReason, detail: str, version: int = 0) -> FileRecord:
    return FileRecord(path, 0, version, None, "skipped", reason, detail)
