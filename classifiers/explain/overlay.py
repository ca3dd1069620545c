"""Maps on the image's own pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Heat = NDArray[np.float64]

SHOWN_SIDE_PX = 1024
"""The longer side of a picture, at most."""

_PAGE_SIDE_PX = 384
_JPEG_QUALITY = 85
_MOST_OPAQUE = 0.65
_INFERNO = (
    *((0, 0, 4), (11, 7, 36), (33, 12, 74), (61, 9, 101), (87, 16, 110), (113, 25, 110), (138, 34, 106)),
    *((163, 44, 97), (188, 55, 84), (208, 69, 69), (227, 89, 51), (241, 113, 31), (249, 140, 10)),
    *((252, 170, 15), (249, 201, 50), (242, 232, 101), (252, 255, 164)),
)
"""Seventeen colours of `inferno` (S. van der Walt and N. Smith, CC0), evenly spaced; linear between them."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A grid of shares, and where it lies.

    Args:
        grid: (rows, columns).
        placement: (2, 3), from a prepared pixel to one of the image as read.
        width_px: of the prepared image, which the grid covers.
        height_px: likewise.
    """

    grid: Heat
    placement: NDArray[np.float64]
    width_px: int
    height_px: int


def heat_map(placed: Iterable[Placed], image_size: tuple[int, int], shown_size: tuple[int, int]) -> Heat:
    """Add grids up on the image as shown.

    Args:
        placed: whose shares are spread evenly over their cells, then smoothed from middle to middle.
        image_size: width and height as read.
        shown_size: of the picture.

    Returns:
        (height, width) of the picture: the share of each of its pixels. What lies beyond the image, on a
        padded border, is left out.
    """
    import cv2

    width, height = shown_size
    heat = np.zeros((height, width))
    shrink = np.diag([width / image_size[0], height / image_size[1], 1.0])
    half = _moved(0.5)
    for each in placed:
        rows, columns = each.grid.shape
        cell = np.diag([each.width_px / columns, each.height_px / rows, 1.0])
        matrix = shrink @ np.vstack([each.placement, [0.0, 0.0, 1.0]]) @ cell
        # float32: with float64 OpenCV 5.0.0 leaves the border black, cubic as it is.
        density = (each.grid / abs(np.linalg.det(matrix))).astype(np.float32)
        spread = cv2.warpAffine(
            density, (_moved(-0.5) @ matrix @ half)[:2], (width, height), flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        heat += np.where(_inside(matrix, (columns, rows), shown_size), spread, 0.0)
    return heat


def overlay(picture: bytes, heat: Heat) -> NDArray[np.uint8]:
    """Colour a picture by a map: from nothing at its least share (at 0, where that is below) to its greatest.

    Args:
        picture: an image file that was written here, of the map's size.
        heat: as ``heat_map`` gives it.

    Returns:
        (height, width, 3), red first.
    """
    shown = read_picture(picture)
    low, high = max(float(heat.min()), 0.0), float(heat.max())
    levels = ((heat - low) / (high - low)).clip(0.0, 1.0) if high > low else np.zeros(heat.shape)
    stops = np.linspace(0.0, 1.0, len(_INFERNO))
    colours = np.stack([np.interp(levels, stops, channel) for channel in np.transpose(_INFERNO)], axis=2)
    opacity = _MOST_OPAQUE * levels[..., None]
    return cast("NDArray[np.uint8]", np.rint(shown * (1 - opacity) + colours * opacity).astype(np.uint8))


def read_picture(picture: bytes) -> NDArray[np.uint8]:
    """(height, width, 3), red first, of a thumbnail that the decode pool made."""
    import cv2

    decoded = cv2.imdecode(np.frombuffer(picture, dtype=np.uint8), cv2.IMREAD_COLOR)
    if decoded is None:
        raise ValueError("The thumbnail is no JPEG.")
    return cast("NDArray[np.uint8]", np.ascontiguousarray(decoded[..., ::-1]))


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG without metadata."""
    import cv2

    _, encoded = cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))
    return encoded.tobytes()


def small_jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """The picture as a page shows it: a JPEG, its longer side 384 px at most."""
    import cv2

    height, width = pixels.shape[:2]
    scale = min(1.0, _PAGE_SIDE_PX / max(height, width))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = cv2.resize(np.ascontiguousarray(pixels[..., ::-1]), size, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return encoded.tobytes()


def _inside(
    matrix: NDArray[np.float64], grid_size: tuple[int, int], shown_size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Which pixels of the picture the grid covers."""
    back = np.linalg.inv(matrix)
    x, y = np.arange(shown_size[0]) + 0.5, np.arange(shown_size[1])[:, None] + 0.5
    across = back[0, 0] * x + back[0, 1] * y + back[0, 2]
    down = back[1, 0] * x + back[1, 1] * y + back[1, 2]
    inside: NDArray[np.bool_] = (
        (across >= 0) & (across <= grid_size[0]) & (down >= 0) & (down <= grid_size[1])
    )
    return inside


def _moved(by: float) -> NDArray[np.float64]:
    return np.array([[1.0, 0.0, by], [0.0, 1.0, by], [0.0, 0.0, 1.0]])
