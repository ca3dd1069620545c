"""Local binary patterns: which neighbours on a circle are at least as bright as the pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cbir.errors import SpecError
from cbir.extractors.handcrafted.descriptor import check_grey, check_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAX_POINTS = 64
_MAX_RADIUS_PX = 5
"""OpenCV filters with larger kernels by an FFT, which is not exact enough."""
_CIRCLE_SETTINGS = 2
_MOST_CHANGES = 2
_TIE = 128
_GAIN = 4000.0
"""What a difference is multiplied with before it is rounded to 8 bits: single precision errs by less than
0.5 up to here, so that all that come out apart from ``_TIE`` have the right sign."""


@dataclass(frozen=True, slots=True)
class Lbp:
    """Histograms of uniform, rotation-invariant patterns, equal to scikit-image's ``local_binary_pattern``.

    For each circle, P + 2 shares of the pixels: 0 to P neighbours at least as bright as the pixel, and last
    the patterns that are not uniform. Outside the image all is black, as there: on a grey image the outermost
    pixels have darker neighbours.

    Args:
        side_px: images are resized to this square.
        circles: (points, radius in pixels) of each.

    Raises:
        SpecError: a value out of its range.

    Source: Ojala et al., TPAMI 2002.
    """

    name: ClassVar[str] = "lbp"

    side_px: int = 512
    circles: tuple[tuple[int, int], ...] = ((8, 1), (16, 2), (24, 3))

    def __post_init__(self) -> None:
        check_whole(self.name, "side_px", self.side_px, least=1)
        if not self.circles or any(len(circle) != _CIRCLE_SETTINGS for circle in self.circles):
            raise SpecError(
                f"Descriptor lbp: circles is {self.circles}; name (points, radius) of one or more."
            )
        for points, radius in self.circles:
            check_whole(self.name, "points", points, least=2, most=_MAX_POINTS)
            check_whole(self.name, "radius", radius, least=1, most=_MAX_RADIUS_PX)

    @property
    def dim(self) -> int:
        """P + 2 a circle."""
        return sum(points + 2 for points, _ in self.circles)

    @property
    def input_px(self) -> tuple[int, int]:
        """A square."""
        return self.side_px, self.side_px

    def describe(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Describe an image of any size: (H, W) to (dim,), the shares of each circle summing to 1."""
        check_grey(self.name, grey)
        framed = _Framed.of(grey, max(radius for _, radius in self.circles) + 1)
        return np.concatenate([_histogram(framed, points, radius) for points, radius in self.circles])


@dataclass(frozen=True, slots=True)
class _Neighbour:
    """A point on the circle, to five decimals as in scikit-image: rows down, columns to the right."""

    down: float
    across: float


@dataclass(frozen=True, slots=True)
class _Framed:
    """An image in a black frame, row after row: a neighbour lies as far from every pixel.

    Between the rows of the image lie those of the frame, 2 · ``margin`` pixels; their patterns mean nothing.

    Args:
        height: rows of the image.
        row: length of a framed row, W + 2 · ``margin``.
        margin: width of the frame, above the radius.
        pixels: (N,), N = row · (height + 2 · margin).
        flat: (N - row - 1,), whether a pixel equals those right, below, and right below.
    """

    height: int
    row: int
    margin: int
    pixels: NDArray[np.uint8]
    flat: NDArray[np.bool_]

    @classmethod
    def of(cls, grey: NDArray[np.uint8], margin: int) -> _Framed:
        pixels = np.pad(grey, margin).ravel()
        row = grey.shape[1] + 2 * margin
        level = pixels[1:] == pixels[:-1]
        flat = level[:-row] & level[row:] & (pixels[row:-1] == pixels[: -row - 1])
        return cls(grey.shape[0], row, margin, pixels, flat)

    def span(self, down: int = 0, across: int = 0) -> slice:
        """Where the image's rows are, or their neighbours so many rows down and columns to the right."""
        start = (self.margin + down) * self.row + across
        return slice(start, start + self.height * self.row)


@lru_cache(maxsize=16)
def _circle(points: int, radius: int) -> tuple[_Neighbour, ...]:
    """From the right, turning to the left."""
    turns = 2 * np.pi * np.arange(points, dtype=np.float64) / points
    rows, columns = np.round(-radius * np.sin(turns), 5), np.round(radius * np.cos(turns), 5)
    return tuple(map(_Neighbour, rows.tolist(), columns.tolist()))


@lru_cache(maxsize=256)
def _kernel(neighbour: _Neighbour) -> NDArray[np.float32]:
    """(2R + 1, 2R + 1): interpolates the neighbour and subtracts the pixel, times ``_GAIN``."""
    reach = int(np.ceil(max(abs(neighbour.down), abs(neighbour.across))))
    shares = [
        {int(np.floor(at)): 1 - at % 1, int(np.floor(at)) + 1: at % 1}
        for at in (neighbour.down, neighbour.across)
    ]
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    for down, row_share in shares[0].items():
        for across, share in shares[1].items():
            if row_share * share:
                kernel[reach + down, reach + across] = row_share * share
    kernel[reach, reach] -= 1
    return (kernel * _GAIN).astype(np.float32)


def _histogram(framed: _Framed, points: int, radius: int) -> NDArray[np.float32]:
    """(points + 2,) shares."""
    ones: NDArray[np.uint8] = np.zeros(framed.height * framed.row, dtype=np.uint8)
    changes: NDArray[np.uint8] = np.zeros_like(ones)
    before: NDArray[np.uint8] | None = None
    for neighbour in _circle(points, radius):
        sign = _not_darker(framed, neighbour).view(np.uint8)
        ones += sign
        if before is not None:
            changes += sign ^ before
        before = sign
    uneven = (changes > _MOST_CHANGES).view(np.uint8)
    codes = np.maximum(ones, uneven * np.uint8(points + 1))  # faster than a masked copy
    codes = codes.reshape(framed.height, framed.row)[:, framed.margin : -framed.margin].ravel()
    counts = [np.count_nonzero(codes == code) for code in range(points + 2)]  # faster than a histogram
    shares: NDArray[np.float64] = np.array(counts) / codes.size
    return shares.astype(np.float32)


def _not_darker(framed: _Framed, neighbour: _Neighbour) -> NDArray[np.bool_]:
    """(height · row,): whether each pixel's neighbour is at least as bright as the pixel.

    Differences are sure in single precision but for ties. On a flat patch a tie is one (so it is in the
    reference on the default circles; on (20, 1), (24, 1) and 30 points its rounding can say darker).
    Elsewhere, where darker and lighter pixels balance, it is what rounding in double precision makes of it
    in the reference: about one pixel in a thousand, and these are computed again in its way.
    """
    import cv2

    top, left = int(np.floor(neighbour.down)), int(np.floor(neighbour.across))
    sign: NDArray[np.bool_]
    if (top, left) == (neighbour.down, neighbour.across):
        sign = framed.pixels[framed.span(top, left)] >= framed.pixels[framed.span()]
        return sign
    differences = cv2.filter2D(
        framed.pixels.reshape(-1, framed.row),
        cv2.CV_8U,
        _kernel(neighbour),
        delta=_TIE,
        borderType=cv2.BORDER_CONSTANT,
    )
    difference = differences.ravel()[framed.span()]
    sign = difference >= _TIE
    doubtful = (difference == _TIE) > framed.flat[framed.span(top, left)]
    if doubtful.any():
        at = np.flatnonzero(doubtful)
        sign[at] = _as_rounded(framed, at, neighbour)
    return sign


def _as_rounded(framed: _Framed, at: NDArray[np.intp], neighbour: _Neighbour) -> NDArray[np.bool_]:
    """(N,): the sign at some pixels, in double precision and the reference's order of operations.

    Args:
        framed: the image.
        at: (N,), from the first pixel of the image's first row.
        neighbour: which one.
    """
    rows, columns = np.divmod(at, framed.row)
    down, across = rows + neighbour.down, columns - framed.margin + neighbour.across
    rest_down, rest_across = down - np.floor(down), across - np.floor(across)
    tops, lefts = (range(int(np.floor(x)), int(np.ceil(x)) + 1) for x in (neighbour.down, neighbour.across))
    (upper_left, upper_right), (lower_left, lower_right) = (
        [framed.pixels[framed.span(i, j)][at] for j in (lefts[0], lefts[-1])] for i in (tops[0], tops[-1])
    )
    upper = (1 - rest_across) * upper_left + rest_across * upper_right
    lower = (1 - rest_across) * lower_left + rest_across * lower_right
    sign: NDArray[np.bool_] = (1 - rest_down) * upper + rest_down * lower - framed.pixels[framed.span()][
        at
    ] >= 0
    return sign
