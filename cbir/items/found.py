"""What a search for images gives: a file to index, or one that is not, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbir.errors import SkipReason
    from cbir.types import Scalar


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file; whether it is an image, its content will say.

    Args:
        path: absolute; bytes that are no UTF-8 are surrogate-escaped, as ``os.fsdecode`` does.
        label: from an items file, as text.
        group: likewise; the patient.
        metadata: the other columns of the items file.
    """

    path: str
    label: str | None = None
    group: str | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """Something found, or named by an items file, that is never opened; accounted for like a file.

    Args:
        path: absolute.
        reason: ``symlink``, ``not_a_file``, ``permission``, ``vanished`` or ``unreadable``.
        detail: one line.
    """

    path: str
    reason: SkipReason
    detail: str
