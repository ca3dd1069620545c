from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classifiers.measures.draws import Draws


def auc(draws: Draws) -> NDArray[np.float64]:
    """The area under the ROC curve of a class against the rest; ties count half; (n_draws, n_classes).

    NaN where a draw has no image of the class, or no other.

    Source: Hanley, McNeil, Radiology 1982; Hand, Till, Machine Learning 2001.
    """
    return draws.areas
