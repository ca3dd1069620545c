"""Where a slide has tissue: what is coloured, against the pale glass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_SATURATION, _MOST_SATURATION = 15, 60
"""Of 255. Otsu's threshold is held between them: glass with nothing on it has noise of a few steps, and a
stroke of ink must not push the threshold past pale tissue."""
_DARK = 40
"""Of 255: the hue and saturation of what is darker mean nothing."""
_MEDIAN_PX = 5


def tissue_mask(rgb: NDArray[np.uint8], speck_px: int) -> NDArray[np.bool_]:
    """Find tissue by saturation (Otsu's threshold in HSV).

    Made for stained tissue in bright field; a grey (fluorescence) slide has none by this rule.

    Args:
        rgb: (height, width, 3), the slide made small, glass white.
        speck_px: specks, and holes in the tissue, of fewer pixels are ignored.

    Returns:
        (height, width), true where there is tissue.

    Source: Otsu, IEEE Transactions on Systems, Man, and Cybernetics, 1979, for the threshold.
    """
    import cv2

    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
    saturation = cv2.medianBlur(np.where(hsv[..., 2] < _DARK, 0, hsv[..., 1]).astype(np.uint8), _MEDIAN_PX)
    otsu, _ = cv2.threshold(saturation, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    mask = saturation > min(max(otsu, _LEAST_SATURATION), _MOST_SATURATION)
    return ~_without_specks(~_without_specks(mask, speck_px), speck_px)


def _without_specks(mask: NDArray[np.bool_], speck_px: int) -> NDArray[np.bool_]:
    import cv2

    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    is_large = stats[:, cv2.CC_STAT_AREA] >= speck_px
    is_large[0] = False  # what lies between the components
    return np.asarray(is_large[parts], dtype=np.bool_)
