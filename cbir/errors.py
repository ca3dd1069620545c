"""Every error that cbir raises on purpose.

::

    CbirError
    ├── ImageError               one file can't become pixels; carries its SkipReason
    ├── ItemsError               a folder, glob or items file can't be used
    │   └── ColumnError          a column that the items don't have
    ├── WhereError               a condition that can't be understood, or does not fit its columns
    ├── SpecError                a preset, recipe or spec that makes no sense
    ├── WeightsError             weights missing, not the pinned ones, or in a refused format
    ├── TrainingError            a training that can't begin, or can't go on
    │   └── OtherProcessError    another process of it failed, and says why; carries the kind of its error
    ├── UnlabelledError          no item says what an image is
    ├── CalibrationError         probabilities that can't be calibrated with these images
    ├── VectorError              an embedding that is not finite, zero, or of the wrong dimension
    ├── MissingLibraryError      an optional library is not installed; names the extra
    ├── BackendError             a server can't be reached
    └── StoredIndexError
        ├── IndexMissingError    nothing there, or not an index
        ├── IndexDamagedError    a checksum, count or file does not fit the manifest
        ├── IndexLockedError     another process is writing
        ├── IndexWriteError      the disk refused: full, read-only, failing
        ├── AttachmentError      an index has nothing attached under a name
        ├── TenantError          an index of tenants searched for nobody, or one without tenants for somebody
        └── FingerprintError     query and index come from different extractors

A message says what is wrong, both values, and what to do, in one line.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from cbir.nearest import nearest


class SkipReason(StrEnum):
    """Why a file found did not become an item. The value is what reports and the JSONL log show."""

    NOT_AN_IMAGE = "not_an_image"
    """Empty, text, or a kind of file we don't read; judged by content, not by name."""
    NO_PIXELS = "no_pixels"
    """A DICOM object without an image: plan, structured report, DICOMDIR, dose."""
    NO_TISSUE = "no_tissue"
    """A whole slide on which no tissue was found."""
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    MISSING_CODEC = "missing_codec"
    UNSUPPORTED = "unsupported"
    DECODER_CRASHED = "decoder_crashed"
    DECODER_TIMEOUT = "decoder_timeout"
    PERMISSION = "permission"
    NOT_A_FILE = "not_a_file"
    """A FIFO, socket or device."""
    SYMLINK = "symlink"
    """Symbolic links are never followed."""
    CHANGED = "changed"
    """Changed while it was read, twice."""
    VANISHED = "vanished"
    """Named by a listing or an items file, but not there."""
    UNREADABLE = "unreadable"
    """The file system answered with an error."""
    NOT_FETCHED = "not_fetched"
    """The PACS lists it, but does not hand it out, though it answers else."""
    POLICY = "policy"
    """Left out by a policy of this run: multi-frame, For Processing, secondary capture, burned-in text."""
    OUTSIDE = "outside"
    """Of a query: the region asked for reaches beyond the image."""
    BAD_EMBEDDING = "bad_embedding"
    """The network answered with a vector that is not finite, or zero."""


class CbirError(Exception):
    """The root of the tree: catch this to catch everything that cbir raises on purpose."""


class ImageError(CbirError):
    """One file can't become pixels.

    Args:
        reason: the skip reason that reports show.
        detail: one line without patient data, for example ``transfer syntax 1.2.840… needs …``.
    """

    def __init__(self, reason: SkipReason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


class ItemsError(CbirError):
    """A folder, glob or items file can't be used."""


class ColumnError(ItemsError):
    """A column that the items don't have.

    Args:
        where: the items file or index.
        column: as asked for.
        known: the columns there are.
    """

    def __init__(self, where: str, column: str, known: Collection[str]) -> None:
        super().__init__(f"{where} has no column {column!r}; {nearest(column, sorted(known))}")
        self.column = column


class WhereError(CbirError):
    """A condition that can't be understood, or compares a column with what it does not hold."""


class SpecError(CbirError):
    """A preset, recipe or spec that makes no sense."""


class WeightsError(CbirError):
    """Weights missing, not the pinned ones, or in a refused format."""


class TrainingError(CbirError):
    """A training that can't begin with these images, or can't go on."""


class OtherProcessError(TrainingError):
    """What another process of the same training does for all of them failed; it says why itself.

    Args:
        kind: of its error.
    """

    def __init__(self, kind: type[BaseException]) -> None:
        super().__init__(f"Another process of this training failed with {kind.__name__}; it says why.")
        self.kind = kind


class UnlabelledError(CbirError):
    """No item of an index says what an image is."""


class CalibrationError(CbirError):
    """Probabilities that can't be calibrated with these images."""


class VectorError(CbirError):
    """An embedding that is not finite, zero, or of the wrong dimension."""


class MissingLibraryError(CbirError):
    """An optional library is not installed; the message names the extra to install."""


class BackendError(CbirError):
    """A server can't be reached."""


class StoredIndexError(CbirError):
    """An index directory can't be used as asked."""


class IndexMissingError(StoredIndexError):
    """Nothing is there, or it is not an index."""


class IndexDamagedError(StoredIndexError):
    """A checksum, count or file does not fit the manifest."""


class IndexLockedError(StoredIndexError):
    """Another process is writing."""


class IndexWriteError(StoredIndexError):
    """The disk refused: full, read-only, failing."""


class AttachmentError(StoredIndexError):
    """An index has nothing attached under a name."""


class TenantError(StoredIndexError):
    """An index of tenants is searched for nobody, or one without tenants for somebody."""


class FingerprintError(StoredIndexError):
    """Query and index come from different extractors."""
