"""GIF, WebP and BMP: the formats of the web, some of which move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from cbir.errors import ImageError, SkipReason
from cbir.images.raster.finish import exif_orientation, finished, grey_if_equal, over_black
from cbir.images.raster.pillow import open_image

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

    from cbir.images.image import Image
    from cbir.images.reading import Reading

_BITS = 8
_RGBA_BYTES = 4
_EXIF_HEADER = b"Exif\x00\x00"
_RIFF_HEADER_BYTES = 8


def read_animated(data: bytes, reading: Reading, name: Literal["gif", "webp", "bmp"]) -> list[Image]:
    """Read the frames that the spec asks for; transparency is put over black.

    Raises:
        ImageError: truncated, damaged, too large, or left out by policy.
    """
    if name == "webp" and int.from_bytes(data[4:8], "little") + _RIFF_HEADER_BYTES > len(data):
        raise ImageError(SkipReason.TRUNCATED, "the WEBP ends early")
    with open_image(data, name.upper()) as image:
        one_frame = image.width * image.height * _RGBA_BYTES
        reading.check_size(one_frame, "header")
        n_frames = getattr(image, "n_frames", 1)
        frames = reading.frames(n_frames)
        reading.check_size(one_frame * len(frames), "header")
        exif = image.info.get("exif", b"") if name == "webp" else b""
        orientation = exif_orientation(exif.removeprefix(_EXIF_HEADER))
        return [
            _frame(image, name, reading, frame=frame, n_frames=n_frames, orientation=orientation)
            for frame in frames
        ]


def _frame(
    image: PillowImage,
    name: Literal["gif", "webp", "bmp"],
    reading: Reading,
    *,
    frame: int,
    n_frames: int,
    orientation: int,
) -> Image:
    if n_frames > 1:
        image.seek(frame)
    if image.mode in {"1", "L"}:
        pixels, notes = over_black(np.asarray(image.convert("L")))
    else:
        pixels, notes = over_black(np.asarray(image.convert("RGBA")))
    pixels = grey_if_equal(pixels)
    return finished(
        pixels, name, _BITS, reading, frame=frame, n_frames=n_frames, orientation=orientation, notes=notes
    )
