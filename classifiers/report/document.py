"""Curves of a classifier as plain values, for a JSON document."""

from __future__ import annotations

from classifiers.evaluation.curves import decision_curve, reliability_of, roc_of
from classifiers.evaluation.judged import Judged
from classifiers.measures import Draws


def curves_document(judged: Judged, positive: str | None = None) -> dict[str, object]:
    """What the page's charts show.

    Args:
        judged: images and posteriors.
        positive: the class of the decision curve; None for each class that some images have, and some not.

    Returns:
        ``confusion`` (counts), ``roc`` (by class), ``reliability`` (a list of bins), ``decision`` (by class).
    """
    once = Draws.once(judged.labels, judged.posteriors)
    of_class = {name: (judged.posteriors[:, code], judged.labels == code) for name, code in acted_on(judged)}
    decisions = {name: decision_curve(*each) for name, each in of_class.items() if positive in (None, name)}
    rocs = {name: roc_of(*each) for name, each in of_class.items()}
    return {
        "confusion": {
            "classes": list(judged.classes),
            "counts": once.confusion[0].astype(int).tolist(),
        },
        "roc": {
            name: {
                "false_positive_rate": each.false_rates.tolist(),
                "true_positive_rate": each.true_rates.tolist(),
                "threshold": [None, *each.thresholds[1:].tolist()],
            }
            for name, each in rocs.items()
        },
        "reliability": [
            {"n_images": each.n_images, "probability": each.probability, "right": each.right}
            for each in reliability_of(judged.posteriors, judged.labels)
        ],
        "decision": {
            name: {
                "threshold": each.thresholds.tolist(),
                "net_benefit": each.model.tolist(),
                "treat_all": each.everybody.tolist(),
            }
            for name, each in decisions.items()
        },
    }


def acted_on(judged: Judged) -> list[tuple[str, int]]:
    """Names and codes of the classes that some of the images have."""
    counts = judged.counts.tolist()
    return [(name, code) for code, name in enumerate(judged.classes) if counts[code]]
