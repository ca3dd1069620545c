"""What a writer is told: one new image, one file's fate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from cbir.errors import SkipReason
    from cbir.images.tiles import Box
    from cbir.types import Scalar

JSON = str | int | float | bool | None | list["JSON"] | dict[str, "JSON"]
"""What a memo may hold."""

Outcome = Literal["indexed", "duplicate", "skipped"]
"""What became of a file that was found."""


@dataclass(frozen=True, slots=True)
class NewImage:
    """One frame of a file, embedded.

    Args:
        sha256: hex, of the file's bytes.
        frame: from 0.
        embedding: (dim,) or, of an image in parts, (n_parts, dim) float32; rows of unit length within 1e-3,
            made unit where float32 can tell.
        thumbnail: an encoded picture (JPEG), or empty.
        pixels_sha256: hex, of the pixels as read, with their dtype and shape.
        info: what the file itself says and may be kept: the allow-listed values.
        instance: keyed hash of the SOPInstanceUID, or None.
        group: keyed hash of the patient, or None.
        notes: what reading did to the file, for the person who asks.
        boxes: where the parts lie, one a part; none for an image as a whole.
    """

    sha256: str
    frame: int
    embedding: NDArray[np.float32]
    thumbnail: bytes
    pixels_sha256: str
    info: Mapping[str, Scalar] = field(default_factory=dict)
    instance: str | None = None
    group: str | None = None
    notes: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What is known of a file that was found.

    Args:
        path: absolute, as the system gives it (undecodable bytes as surrogate escapes).
        size: bytes.
        mtime_ns: modification time when it was read; of an instance of a PACS, the mark of what it said then.
        sha256: hex, of its bytes; None when they were never read.
        outcome: what became of it.
        reason: why, when it was skipped.
        detail: one line on the reason, without patient data.
    """

    path: str
    size: int
    mtime_ns: int
    sha256: str | None
    outcome: Outcome
    reason: SkipReason | None = None
    detail: str | None = None
