"""When to answer, and which labels to name when not: thresholds whose promise holds for new patients.

Both promises are for patients who come as those did whom the threshold was chosen with: exchangeable ones.
Images of one patient are not, so one image of each patient is drawn first, and a promise is for one image of
a new patient.

Source: of drawing one per group, Dunn, Wasserman and Ramdas, Distribution-Free Prediction Sets for Two-Layer
Hierarchical Models, JASA 2023, single subsampling.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

GRID = tuple(float(percent) / 100 for percent in range(100, -1, -1))
"""The thresholds that are tried, the strictest first; fixed before anything is seen."""


def one_per_group(groups: NDArray[np.int64], *, seed: int = 0) -> NDArray[np.int64]:
    """(n_groups,), one row of each group, each of its rows as likely as another."""
    shuffled = np.random.default_rng(seed).permutation(len(groups))
    _, first = np.unique(groups[shuffled], return_index=True)
    return np.sort(shuffled[first])


def risk_threshold(
    confidences: NDArray[np.float64],
    is_right: NDArray[np.bool_],
    *,
    risk: float,
    confidence: float = 0.9,
) -> float | None:
    """The least probability from which on answers are wrong at most as often as chosen.

    The thresholds of ``GRID`` are tried from the strictest on, beginning with the first that at least
    ``fewest_answers`` reach. A threshold passes where so few errors would be rare (at most
    1 - ``confidence``) if answers were wrong more often than ``risk``: the exact binomial test, which is the
    finite-sample correction. The last before the first that fails is the threshold.

    With probability ``confidence`` over the images that it is chosen with, the answers to new images are then
    wrong at most with probability ``risk``; provided that surer answers are not wrong more often than less
    sure ones, for the strictest thresholds are not tried.

    Args:
        confidences: (n,), the probability of each best candidate; of images that are exchangeable.
        is_right: (n,), whether it was right.
        risk: the share of wrong answers, between 0 and 1.
        confidence: how surely, between 0 and 1.

    Returns:
        None where no threshold passes: too few images, or too many errors among the surest.

    Source: fixed-sequence testing of the selective risk: Angelopoulos et al., Learn then Test, Annals of
    Applied Statistics 2025; the binomial bound of it: Geifman and El-Yaniv, Selective Classification for Deep
    Neural Networks, NIPS 2017.
    """
    from scipy.special import bdtr

    found, fewest = None, fewest_answers(risk, confidence)
    for threshold in GRID:
        answered = confidences >= threshold
        n_answered, n_wrong = int(answered.sum()), int((answered & ~is_right).sum())
        if n_answered < fewest:
            continue
        if bdtr(n_wrong, n_answered, risk) > 1 - confidence:
            break
        found = threshold
    return found


def fewest_answers(risk: float, confidence: float) -> int:
    """How many answers it takes before half as many errors as allowed would pass: fewer tell too little.

    Source: our choice. With fewer the first test would fail by luck where the risk is kept with ease, and all
    that follow with it.
    """
    from scipy.special import bdtr

    n_answers = 1
    while bdtr(math.ceil(n_answers * risk / 2), n_answers, risk) > 1 - confidence:
        n_answers += 1
    return n_answers


def set_cutoff(probabilities: NDArray[np.float64], *, miss: float) -> float:
    """From which probability on a label belongs into the set that holds the true one.

    The set of a new image misses the true label with a probability of at most ``miss``, over the images that
    the cutoff is chosen with and the new one together.

    Args:
        probabilities: (n,), that each image's true label had; of images that are exchangeable.
        miss: between 0 and 1.

    Returns:
        0 where there are too few images for so small a miss: every label is in the set.

    Source: split conformal prediction: Sadinle, Lei and Wasserman, Least Ambiguous Set-Valued Classifiers
    with Bounded Error Levels, JASA 2019; Angelopoulos and Bates, arXiv 2107.07511, section 1.
    """
    n_below = math.floor(miss * (len(probabilities) + 1))
    return float(np.sort(probabilities)[n_below - 1]) if n_below else 0.0


def label_set(probabilities: NDArray[np.float64], cutoff: float) -> list[int]:
    """The codes of the labels at or above a cutoff, the most probable first; never empty.

    The most probable label stands alone where none reaches the cutoff: that misses no more often.
    """
    order = np.argsort(-probabilities, kind="stable").tolist()
    return [code for code in order if probabilities[code] >= cutoff] or order[:1]
