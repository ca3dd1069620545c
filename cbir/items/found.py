"""What a search for images gives: a file to index, or one that is not, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbir.errors import SkipReason
    from cbir.types import Scalar


REMOTE_PREFIXES = ("http://", "https://")
"""How the path of what lies on a server begins; that of a file is absolute."""


class Remote(Protocol):
    """Content that lies on a server."""

    @property
    def version(self) -> int:
        """A mark of what the server says of it, below 2**63; another where that changed."""
        ...

    @property
    def n_bytes(self) -> int:
        """About how many bytes it has."""
        ...

    def read(self, max_bytes: int) -> bytes:
        """Fetch it; any thread may.

        Raises:
            ImageError: ``vanished``, ``too_large`` or ``not_fetched``.
            BackendError: the server is away, or lets nobody in.
        """
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file, or an instance of a PACS; whether it is an image, its content will say.

    Args:
        path: absolute; bytes that are no UTF-8 are surrogate-escaped, as ``os.fsdecode`` does. Of what lies
            on a server, the URL.
        label: from an items file, as text.
        group: likewise; the patient.
        metadata: the other columns of the items file.
        remote: where its content comes from when it is no file.
    """

    path: str
    label: str | None = None
    group: str | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    remote: Remote | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Something found, or named by an items file, that is never opened; accounted for like a file.

    Args:
        path: absolute.
        reason: ``symlink``, ``not_a_file``, ``permission``, ``vanished`` or ``unreadable``; of a PACS,
            ``malformed``.
        detail: one line.
    """

    path: str
    reason: SkipReason
    detail: str


def is_remote(path: str) -> bool:
    """Whether a path is the URL of something on a server."""
    return path.startswith(REMOTE_PREFIXES)
