"""The rule that query expansion and database augmentation share: a vector drawn towards its neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def drawn_towards(
    vector: NDArray[np.float32], neighbours: NDArray[np.float32], alpha: float
) -> NDArray[np.float32]:
    """The vector and its neighbours added up, each neighbour weighted by its cosine to the power of alpha.

    A neighbour whose cosine is not positive adds nothing, whatever alpha: the sum is never zero.

    Args:
        vector: (dim,), unit.
        neighbours: (n, dim), unit rows; none leaves the vector as it is.
        alpha: at least 0; 0 is the plain mean, the larger the less the far ones count.

    Returns:
        (dim,), unit.

    Source: Radenović, Tolias, Chum, Fine-tuning CNN Image Retrieval with No Human Annotation, TPAMI 2019.
    """
    centre, around = vector.astype(np.float64), neighbours.astype(np.float64)
    cosines = around @ centre
    weights = np.where(cosines > 0, np.abs(cosines) ** alpha, 0.0)
    total = centre + weights @ around
    drawn: NDArray[np.float32] = (total / np.linalg.norm(total)).astype(np.float32)
    return drawn
