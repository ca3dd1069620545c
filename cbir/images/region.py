"""A part of an image, taken as if it were the whole."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from cbir.errors import ImageError, SkipReason

if TYPE_CHECKING:
    from cbir.images.image import Image
    from cbir.images.tiles import Box

_NUMBER = r"\s*([+-]?[0-9]{1,9})\s*"
_FORM = re.compile(",".join([_NUMBER] * 4))


def parse_region(text: str) -> Box:
    """Read ``x,y,w,h``: left and top edge, width and height, in pixels of the image as read.

    Raises:
        ValueError: not four whole numbers, or a region without area; one line for the user.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError(f"the region {text!r} is not four whole numbers x,y,w,h in pixels: 120,80,256,256")
    x, y, width, height = (int(number) for number in form.groups())
    if width < 1 or height < 1:
        raise ValueError(f"the region {text!r} is empty: its width and height must be 1 or more")
    return x, y, width, height


def region_text(region: Box) -> str:
    """Write it as ``parse_region`` reads it."""
    return ",".join(map(str, region))


def cut_region(image: Image, region: Box) -> Image:
    """Cut the region out; everything that is done to an image is then done to it alone.

    Args:
        image: as read, EXIF orientation applied; left as it is.
        region: all of it within the image.

    Returns:
        Its pixels (a view), with a note that says where they lay.

    Raises:
        ImageError: the region reaches beyond the image; names both.
    """
    x, y, w, h = region
    height, width = image.pixels.shape[:2]
    where = f"region {region_text(region)}"
    if x < 0 or y < 0 or x + w > width or y + h > height:
        detail = f"the {where} (x,y,w,h) reaches beyond the image of {width} x {height} pixels"
        raise ImageError(SkipReason.OUTSIDE, detail)
    note = f"{where} of {width} x {height} pixels"
    return dataclasses.replace(image, pixels=image.pixels[y : y + h, x : x + w], notes=(*image.notes, note))
