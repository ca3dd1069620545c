"""Slides made with tifffile: white glass, two pieces of tissue at known places."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import tifffile

SIZE = (3000, 2200)
"""Width and height of level 0."""
PIECES = ((600, 400, 700, 500), (1900, 1300, 600, 600))
"""x, y, width, height."""
CANARY = "Jane-Doe-19500101"


def glass(size: tuple[int, int] = SIZE, pieces: tuple[tuple[int, int, int, int], ...] = PIECES) -> np.ndarray:
    """(height, width, 3): each piece another colour and another grain."""
    rng = np.random.default_rng(7)
    picture = np.full((size[1], size[0], 3), 255, np.uint8)
    for n, (x, y, width, height) in enumerate(pieces):
        colour = ((205, 95, 160), (110, 80, 190))[n % 2]
        noise = rng.normal(0, 25, (height // (12 + 20 * n) + 1, width // (12 + 20 * n) + 1, 3))
        grain = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
        picture[y : y + height, x : x + width] = np.clip(np.array(colour) + grain, 30, 250).astype(np.uint8)
    return picture


def pyramid(pixels: np.ndarray, n_levels: int, factor: int = 4) -> list[np.ndarray]:
    levels = [pixels]
    for _ in range(n_levels - 1):
        height, width = (length // factor for length in levels[-1].shape[:2])
        levels.append(cv2.resize(levels[-1], (width, height), interpolation=cv2.INTER_AREA))
    return levels


def resolution(mpp: float) -> dict[str, object]:
    return {"resolution": (1e4 / mpp, 1e4 / mpp), "resolutionunit": "CENTIMETER"}


def write_tiff(path: Path, levels: list[np.ndarray], *, mpp: float | None, compression: str = "zlib") -> None:
    """A pyramid that is nobody's format; its microns a pixel as a resolution."""
    with tifffile.TiffWriter(path) as file:
        for n, level in enumerate(levels):
            file.write(
                level, tile=(256, 256), photometric="rgb", compression=compression, metadata=None,
                subfiletype=int(n > 0), **({} if mpp is None else resolution(mpp * 4**n)),
            )  # fmt: skip


def write_aperio(path: Path, levels: list[np.ndarray], *, properties: str) -> None:
    """An .svs: levels, and a label that carries a name."""
    with tifffile.TiffWriter(path) as file:
        for n, level in enumerate(levels):
            size = f"{level.shape[1]}x{level.shape[0]}"
            text = f"Aperio Image Library v11.2.1\r\n{size} (256x256) |{properties}|User = {CANARY}"
            file.write(
                level, tile=(256, 256), photometric="rgb", compression="jpeg", metadata=None,
                description=text, subfiletype=int(n > 0),
            )  # fmt: skip
        label = np.full((60, 90, 3), 200, np.uint8)
        text = f"Aperio\r\nlabel {CANARY}"
        file.write(label, photometric="rgb", metadata=None, description=text, subfiletype=1)


def write_ndpi(path: Path, pixels: np.ndarray, *, power: float, mpp: float) -> None:
    """Hamamatsu's: a page is one JPEG, its private tags say which objective it was."""
    with tifffile.TiffWriter(path) as file:
        for n, level in enumerate(pyramid(pixels, 2)):
            tags = [(65420, 4, 1, 1), (65421, 11, 1, power / 4**n)]
            tags += [(tag, 9, 1, 0) for tag in (65422, 65423, 65424)]
            coded = cv2.cvtColor(level, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]]
            file.write(
                np.ascontiguousarray(coded), photometric="ycbcr", compression="jpeg", subsampling=(1, 1),
                rowsperstrip=len(level), metadata=None, software="NDP.scan", **resolution(mpp * 4**n),
                extratags=[*((*tag, True) for tag in tags), (271, 2, 0, "Hamamatsu", True)],
            )  # fmt: skip
