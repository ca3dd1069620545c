"""Histograms of the directions of edges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cbir.errors import SpecError, VectorError
from cbir.extractors.handcrafted.descriptor import check_grey, check_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAX_ORIENTATIONS = 36
_EPS = 1e-5
_CLIP = 0.2
_N_STEPS = 511
"""Differences of two 8-bit pixels: -255 to 255."""


@dataclass(frozen=True, slots=True)
class Hog:
    """HOG as scikit-image's ``hog`` computes it, with L2-Hys; the order is its own: block, cell, direction.

    Args:
        height_px: of the image; the length of the vector hangs on it.
        width_px: likewise.
        orientations: bins of half a turn.
        cell_px: side of a cell, even: the reference drops a pixel of odd ones.
        block_cells: side of a block, in cells.

    Raises:
        SpecError: a value out of its range, or an image smaller than a block.

    Source: Dalal and Triggs, CVPR 2005.
    """

    name: ClassVar[str] = "hog"

    height_px: int = 128
    width_px: int = 128
    orientations: int = 9
    cell_px: int = 16
    block_cells: int = 2

    def __post_init__(self) -> None:
        for setting, least in (("height_px", 1), ("width_px", 1), ("cell_px", 2), ("block_cells", 1)):
            check_whole(self.name, setting, getattr(self, setting), least=least)
        check_whole(self.name, "orientations", self.orientations, least=1, most=_MAX_ORIENTATIONS)
        if self.cell_px % 2:
            raise SpecError(f"Descriptor hog: cell_px is {self.cell_px}; it must be even.")
        least_px = self.cell_px * self.block_cells
        if min(self.height_px, self.width_px) < least_px:
            raise SpecError(
                f"Descriptor hog: an image of {self.height_px} × {self.width_px} px is smaller than a block "
                f"of {least_px} × {least_px}; enlarge the image, or make cell_px or block_cells smaller."
            )

    @property
    def dim(self) -> int:
        """Blocks × cells of a block × directions."""
        rows, columns = self._n_blocks
        return rows * columns * self.block_cells**2 * self.orientations

    @property
    def input_px(self) -> tuple[int, int]:
        """The only size that it takes, but for pixels that fill no cell."""
        return self.height_px, self.width_px

    @property
    def _n_blocks(self) -> tuple[int, int]:
        rows, columns = (side // self.cell_px - self.block_cells + 1 for side in self.input_px)
        return rows, columns

    def describe(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Describe an image of ``input_px``: (H, W) to (dim,), each value from 0 to 1.

        Raises:
            VectorError: another number of cells fits into the image.
        """
        check_grey(self.name, grey, least_px=self.cell_px * self.block_cells)
        n_cells = tuple(side // self.cell_px for side in grey.shape)
        wanted = tuple(side // self.cell_px for side in self.input_px)
        if n_cells != wanted:
            raise VectorError(
                f"Descriptor hog: the image has {grey.shape[0]} × {grey.shape[1]} px, it takes "
                f"{self.height_px} × {self.width_px}; resize the image, or set height_px and width_px."
            )
        rows, columns = self._n_blocks
        cells = self._cell_histograms(grey)
        blocks = np.empty((rows, columns, self.block_cells, self.block_cells, self.orientations))
        for i in range(self.block_cells):
            for j in range(self.block_cells):
                blocks[:, :, i, j] = cells[i : i + rows, j : j + columns]
        return _l2_hys(blocks.reshape(rows * columns, -1)).astype(np.float32).ravel()

    def _cell_histograms(self, grey: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(rows, columns, orientations): the mean over a cell's pixels of the steepness of each direction."""
        rows, columns = (side // self.cell_px for side in grey.shape)
        signed = grey.astype(np.int32)
        steps = np.full(grey.shape, 255 * _N_STEPS + 255, dtype=np.int32)  # row step × 511 + column step
        steps[1:-1] += (signed[2:] - signed[:-2]) * _N_STEPS
        steps[:, 1:-1] += signed[:, 2:] - signed[:, :-2]
        steps = steps[: rows * self.cell_px, : columns * self.cell_px]
        bins, steepness = _polar(self.orientations)
        n_bins = self.orientations + 1
        cell_rows, cell_columns = (np.arange(n * self.cell_px) // self.cell_px for n in (rows, columns))
        offsets = (cell_rows[:, None] * columns + cell_columns) * n_bins
        votes = np.bincount(
            (bins[steps] + offsets).ravel(),
            weights=steepness[steps].ravel(),
            minlength=rows * columns * n_bins,
        )
        return votes.reshape(rows, columns, n_bins)[..., :-1] / self.cell_px**2


@lru_cache(maxsize=4)
def _polar(orientations: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Direction bin and length of every pair of steps, at (row step + 255) × 511 + column step + 255.

    Directions that rounding puts at 180 degrees, beyond the last bin, go into one that is thrown away.
    """
    down, across = np.divmod(np.arange(_N_STEPS**2), _N_STEPS) - np.array([[255.0], [255.0]])
    degrees = np.arctan2(down, across) * (180 / np.pi) % 180
    edges = (180.0 / orientations * np.arange(1, orientations + 1)).astype(np.float32)
    tables = np.searchsorted(edges.astype(np.float64), degrees, side="right"), np.hypot(down, across)
    for table in tables:
        table.setflags(write=False)
    return tables


def _l2_hys(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale each row to unit length, cut at 0.2, scale again."""
    for cut in (_CLIP, np.inf):
        lengths = np.sqrt((blocks * blocks).sum(axis=1, keepdims=True) + _EPS**2)
        blocks = np.minimum(blocks / lengths, cut)
    return blocks
