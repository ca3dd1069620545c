from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.measures.area import area_under_roc
from classifiers.measures.draws import Draws


def auc(draws: Draws) -> NDArray[np.float64]:
    """The area under the ROC curve of a class against the rest; ties count half; (n_draws, n_classes).

    NaN where a draw has no image of the class, or no other.

    Source: Hanley, McNeil, Radiology 1982; Hand, Till, Machine Learning 2001.
    """
    columns = enumerate(draws.posteriors.T)
    return np.stack(
        [area_under_roc(scores, draws.labels == code, draws.weights) for code, scores in columns], axis=1
    )
