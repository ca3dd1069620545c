"""What one call of read_images was asked for, and the two rules every format shares: frames and size."""

from __future__ import annotations

from dataclasses import dataclass

from cbir.errors import ImageError, SkipReason
from cbir.images.settings import DecodeLimits, ReadPolicy, ReadSpec

MAX_HASH_KEY_BYTES = 64


@dataclass(frozen=True, slots=True)
class Reading:
    """Passed to every format's reader.

    Args:
        spec: decides the numbers.
        policy: decides who is admitted.
        limits: decides what is too large.
        hash_key: for the hashes of identifiers, up to 64 bytes; None leaves them out.

    Raises:
        ValueError: hash_key is empty or too long.
    """

    spec: ReadSpec
    policy: ReadPolicy
    limits: DecodeLimits
    hash_key: bytes | None

    def __post_init__(self) -> None:
        if self.hash_key is not None and not 0 < len(self.hash_key) <= MAX_HASH_KEY_BYTES:
            raise ValueError(f"hash_key has {len(self.hash_key)} bytes; use 1 to {MAX_HASH_KEY_BYTES}")

    def frames(self, n_frames: int) -> range:
        """Which frames of a file are read, from 0.

        Raises:
            ImageError: the policy leaves multi-frame files out.
        """
        match self.spec.frames:
            case _ if n_frames == 1:
                return range(1)
            case "first":
                return range(1)
            case "middle":
                return range(n_frames // 2, n_frames // 2 + 1)
            case "all":
                return range(n_frames)
            case "skip":
                raise ImageError(SkipReason.POLICY, f"{n_frames} frames, and frames = skip")

    def frame_notes(self, frame: int, n_frames: int) -> tuple[str, ...]:
        """Say which of several frames this is, counted from 1 as people do."""
        return () if n_frames == 1 else (f"frame {frame + 1} of {n_frames} ({self.spec.frames})",)

    def check_size(self, n_bytes: int, source: str) -> None:
        """Refuse what would take too much memory, before anything is decoded.

        Args:
            n_bytes: rows, columns, samples, frames and bytes multiplied.
            source: who says so, such as ``header``.

        Raises:
            ImageError: more than the limit, or nothing at all.
        """
        if n_bytes <= 0:
            raise ImageError(SkipReason.MALFORMED, f"the {source} declares an image without pixels")
        if n_bytes > self.limits.max_pixel_bytes:
            sizes = f"{n_bytes / 2**20:.0f} MiB of pixels, the limit is {self.limits.max_pixel_mb}"
            raise ImageError(
                SkipReason.TOO_LARGE, f"the {source} declares {sizes}; raise max_pixel_mb to read it"
            )
