"""A DICOM file to images: parse, admit, choose frames, check sizes, decode, render."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.errors import ImageError, SkipReason
from cbir.images.dicom.colour import render_colour
from cbir.images.dicom.facts import read_info, read_presentation
from cbir.images.dicom.frames import read_frame
from cbir.images.dicom.grey import render_grey
from cbir.images.dicom.layout import read_layout
from cbir.images.dicom.parse import parse, quiet_pydicom
from cbir.images.dicom.values import identifier, word
from cbir.images.image import Image

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from cbir.images.dicom.layout import Layout
    from cbir.images.dicom.parse import Parsed
    from cbir.images.image import Pixels
    from cbir.images.reading import Reading
    from cbir.images.settings import ReadPolicy

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def read_dicom(data: bytes, reading: Reading) -> list[Image]:
    """Read the frames that the spec asks for.

    Raises:
        ImageError: no pixels, left out by policy, too large, no codec, truncated or malformed.
    """
    with quiet_pydicom():
        parsed = parse(data, reading)
        layout = read_layout(parsed)
        notes = (*layout.notes, *_admitted(parsed.dataset, reading.policy))
        frames = reading.frames(layout.n_frames)
        reading.check_size(layout.frame_bytes * len(frames), "header")
        return [_image(parsed, layout, frame, notes, reading) for frame in frames]


def _image(parsed: Parsed, layout: Layout, frame: int, notes: tuple[str, ...], reading: Reading) -> Image:
    samples = read_frame(parsed, layout, frame, reading.limits.max_pixel_bytes)
    pixels: Pixels
    if samples.photometric.startswith("MONOCHROME"):
        pixels, white, rendered = render_grey(samples, parsed.dataset, frame, reading.spec)
    else:
        pixels, white, rendered = render_colour(samples, parsed.dataset)
    info, conflicts = read_info(parsed, layout, frame, reading.hash_key)
    said = reading.frame_notes(frame, layout.n_frames)
    return Image(pixels, white, frame, info, (*said, *notes, *rendered, *conflicts))


def _admitted(dataset: Dataset, policy: ReadPolicy) -> tuple[str, ...]:
    """Notes on what a policy let in, or an ImageError."""
    notes: list[str] = []
    if read_presentation(dataset) == "for_processing":
        _judge(policy.for_processing, "For Processing image", "for_processing", notes)
    sop_class = identifier(dataset, "SOPClassUID") or ""
    if sop_class == _SECONDARY_CAPTURE or sop_class.startswith(f"{_SECONDARY_CAPTURE}."):
        _judge(policy.secondary_capture, "secondary capture", "secondary_capture", notes)
    if word(dataset, "BurnedInAnnotation") == "YES":
        _judge(policy.burned_in, "burned-in annotation", "burned_in", notes)
    return tuple(notes)


def _judge(choice: str, what: str, setting: str, notes: list[str]) -> None:
    if choice == "skip":
        raise ImageError(SkipReason.POLICY, f"{what}, and {setting} = skip")
    notes.append(what)
