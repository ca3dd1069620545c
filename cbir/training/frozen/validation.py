"""What a choice is made by: macro P@10 of the validation part among the training part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.training.material import Material

K = 10


def validation_precision(material: Material, vectors: NDArray[np.float32]) -> float:
    """Let each validation image ask the training images; no group is in both.

    The same number as ``rank_queries`` gives, without what it says besides: it is wanted every epoch.

    Args:
        material: with images in both parts.
        vectors: (n_images, dim), unit rows.

    Returns:
        The mean over the classes of P@10; of fewer than 10 training images, all are hits, and 10 divides.
        A class that nobody in the training part has is left out.
    """
    asking, gallery = material.rows("val"), material.rows("train")
    asking = asking[np.isin(material.codes[asking], material.codes[gallery])]
    order = np.argsort(-(vectors[asking] @ vectors[gallery].T), axis=1, kind="stable")[:, :K]
    labels = material.codes[asking]
    precision = (material.codes[gallery][order] == labels[:, None]).sum(axis=1) / K
    return float(np.mean([precision[labels == code].mean() for code in np.unique(labels)]))


def validation_chance(material: Material) -> float:
    """What hits at random would bring."""
    asked = np.unique(material.codes[material.rows("val")])
    counts = np.bincount(material.codes[material.rows("train")], minlength=len(material.classes))
    n_hits = min(K, int(counts.sum()))
    present = asked[counts[asked] > 0]
    return float((counts[present] / counts.sum()).mean()) * n_hits / K
