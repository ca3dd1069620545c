"""The references: other people's programs, and GIST written down as published, without thought of speed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

QUARTER_TURNS = np.arange(4) * np.pi / 4
PROPERTIES = ("contrast", "dissimilarity", "homogeneity", "energy", "correlation", "entropy")
CIRCLES = ((8, 1), (16, 2), (24, 3))


def plain_gist(grey, blocks=4, orientations=(8, 8, 4)):
    """Double precision, every FFT whole, every filter kept for the next image."""
    logs = np.pad(np.log(grey.astype(np.float64) + 1), 5, mode="symmetric")
    across, down = frequencies(*logs.shape)
    low_pass = np.exp(-(across**2 + down**2) / (4 / np.sqrt(np.log(2))) ** 2)
    flat = logs - np.fft.ifft2(np.fft.fft2(logs) * low_pass).real
    deviation = np.sqrt(np.abs(np.fft.ifft2(np.fft.fft2(flat**2) * low_pass)))
    spectrum = np.fft.fft2((flat / (0.2 + deviation))[5:-5, 5:-5])
    height, width = grey.shape
    rows, columns = (
        [slice(i * side // blocks, (i + 1) * side // blocks) for i in range(blocks)] for side in grey.shape
    )
    means = []
    for gain in gains(height, width, orientations):
        response = np.abs(np.fft.ifft2(spectrum * gain))
        means += [response[y, x].mean() for x in columns for y in rows]
    return np.array(means)


def frequencies(height, width):
    return np.fft.fftfreq(width) * width, np.fft.fftfreq(height)[:, None] * height


def gains(height, width, orientations, kept={}):  # noqa: B006  # a cache, as any fair program has one
    if (height, width, orientations) not in kept:
        across, down = frequencies(height, width)
        radius, angle = np.hypot(across, down), np.arctan2(down, across)
        kept[height, width, orientations] = filters = []
        for i, n in enumerate(orientations):
            for j in range(n):
                turned = angle + np.pi * j / n
                turned = np.where(turned > np.pi, turned - 2 * np.pi, turned)
                ring = -10 * 0.35 * (radius / height / (0.3 / 1.85**i) - 1) ** 2
                filters.append(np.exp(ring - 2 * np.pi * (16 * n**2 / 32**2) * turned**2))
    return kept[height, width, orientations]


def plain_hog(grey):
    from skimage.feature import hog

    return hog(grey, orientations=9, pixels_per_cell=(16, 16), cells_per_block=(2, 2), block_norm="L2-Hys")


def plain_lbp(grey, circles=CIRCLES):
    from skimage.feature import local_binary_pattern

    shares = []
    for points, radius in circles:
        codes = local_binary_pattern(grey, points, radius, "uniform").astype(np.int64)
        shares.append(np.bincount(codes.ravel(), minlength=points + 2) / grey.size)
    return np.concatenate(shares)


def plain_glcm(grey):
    from skimage.feature import graycomatrix, graycoprops

    matrices = graycomatrix(grey // 8, (1, 3, 5), QUARTER_TURNS, levels=32, symmetric=True, normed=True)
    return np.stack([graycoprops(matrices, name).mean(axis=1) for name in PROPERTIES], axis=1).ravel()


def plain_zernike(grey):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mahotas divides by the mass of a black image
        from mahotas.features import zernike_moments

        return zernike_moments(grey, min(grey.shape) / 2, degree=8)


REFERENCES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "gist": plain_gist,
    "hog": plain_hog,
    "lbp": plain_lbp,
    "glcm": plain_glcm,
    "zernike": plain_zernike,
}


@pytest.fixture(scope="session")
def references():
    return REFERENCES


@pytest.fixture(scope="session")
def lbp_reference():
    return plain_lbp


@pytest.fixture(scope="session")
def real_images(shared_data: Path):
    """Two mammograms and two histology patches, grey, as they come."""
    import cv2

    folders = (shared_data / "data" / name / "images" for name in ("mini_mias", "breakhis_78"))
    paths = [path for folder in folders for path in sorted(folder.iterdir())[::60][:2]]
    return [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths]
