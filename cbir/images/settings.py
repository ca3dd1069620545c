"""How a file is read: its numbers (ReadSpec), its admission (ReadPolicy), its cost (DecodeLimits)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Literal, Self, get_args

from cbir.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping

FramesPolicy = Literal["first", "middle", "all", "skip"]
VoiPolicy = Literal["auto", "full"]
ReadOrSkip = Literal["read", "skip"]
WarnOrSkip = Literal["warn", "skip"]

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReadSpec:
    """How a file becomes pixels; part of the fingerprint, because it decides numbers.

    Args:
        frames: which frames of a multi-frame DICOM, multi-page TIFF, GIF or animated WebP are read.
            ``middle`` of n frames is frame n // 2, from 0. ``skip`` leaves multi-frame files out.
        voi: ``auto`` takes the file's VOI LUT, else its window, else the min-max of what is not padding;
            ``full`` takes the min-max always. Only DICOM has a VOI.
        window: which of several VOI LUTs or windows, from 0; past the end is the last one.

    Raises:
        SpecError: a value that is none of these.
    """

    frames: FramesPolicy = "middle"
    voi: VoiPolicy = "auto"
    window: int = 0

    def __post_init__(self) -> None:
        _check_choice("frames", self.frames, get_args(FramesPolicy))
        _check_choice("voi", self.voi, get_args(VoiPolicy))
        if type(self.window) is not int or self.window < 0:
            raise SpecError(f"window is {self.window!r}; use a whole number from 0")

    def to_dict(self) -> dict[str, str | int]:
        """Plain values, for JSON; ``from_dict`` takes them back exactly."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Rebuild from ``to_dict``; missing keys take their defaults.

        Raises:
            SpecError: an unknown key or a value that is no choice.
        """
        known = [each.name for each in fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise SpecError(f"read has unknown keys {unknown}; it knows {known}")
        return cls(**values)  # type: ignore[arg-type]  # __post_init__ checks each value


@dataclass(frozen=True, slots=True)
class ReadPolicy:
    """Which DICOM files are admitted; not part of the fingerprint.

    Args:
        for_processing: raw detector images (Presentation Intent Type FOR PROCESSING).
        secondary_capture: screenshots and scans (the Secondary Capture SOP classes).
        burned_in: what Burned In Annotation = YES does: a note on the image, or leaving it out.

    Raises:
        SpecError: a value that is none of these.
    """

    for_processing: ReadOrSkip = "read"
    secondary_capture: ReadOrSkip = "read"
    burned_in: WarnOrSkip = "warn"

    def __post_init__(self) -> None:
        _check_choice("for_processing", self.for_processing, get_args(ReadOrSkip))
        _check_choice("secondary_capture", self.secondary_capture, get_args(ReadOrSkip))
        _check_choice("burned_in", self.burned_in, get_args(WarnOrSkip))


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What one file may cost.

    Args:
        timeout_s: wall-clock seconds before the decoding worker is killed.
        memory_mb: address space a worker may take above what it has when idle, MiB.
        max_pixel_mb: MiB (rows, columns, samples, frames, bytes multiplied) of what is decoded: as the header
            declares it and as the compressed stream says it, both before decoding.
        max_file_mb: size of the file as it lies on disk, MiB.

    Raises:
        SpecError: a limit that is not positive.
    """

    timeout_s: float = 30.0
    memory_mb: int = 1024
    max_pixel_mb: int = 512
    max_file_mb: int = 2048

    def __post_init__(self) -> None:
        for each in fields(self):
            if not getattr(self, each.name) > 0:
                raise SpecError(f"{each.name} is {getattr(self, each.name)!r}; use a number above 0")

    @property
    def max_pixel_bytes(self) -> int:
        """``max_pixel_mb`` in bytes."""
        return self.max_pixel_mb * _MIB

    @property
    def max_file_bytes(self) -> int:
        """``max_file_mb`` in bytes."""
        return self.max_file_mb * _MIB


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise SpecError(f"{name} is {value!r}; use one of {', '.join(choices)}")
