"""What a calibration of labels is worth, as a table of text, and as a JSON document."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from cbir import __version__
from cli.renderers.table import columns

if TYPE_CHECKING:
    from classifiers.labels.worth import Estimate
    from cli.calibrating import Calibrated

VERSION = 1
"""Goes up when a field changes its meaning or goes away; new fields may come any time."""


def render_calibration(found: Calibrated) -> str:
    """A line a number, with its interval where it has one."""
    made, worth = found.made, found.worth
    rows = [("", "value", "95 % interval")]
    rows.append(_row("accuracy", worth.accuracy))
    rows.append((f"always {worth.constant}", f"{worth.constant_accuracy:.4f}", ""))
    rows.append(_row("gain over that", worth.gain, sign="+"))
    if worth.gain_by_classifier is not None:
        rows.append(_row("gain by the classifier", worth.gain_by_classifier, sign="+"))
    rows.append(("ECE of the plain vote", f"{worth.ece_before:.4f}", ""))
    rows.append(("ECE calibrated", f"{worth.ece_after:.4f}", ""))
    rows.append(("ECE of perfect calibration, by chance", f"{worth.ece_by_chance:.4f}", ""))
    rows.append(_row("answered (coverage)", worth.coverage))
    rows.append(("wrong, of those", "-", "") if worth.risk is None else _row("wrong, of those", worth.risk))
    rows.append(_row("label sets that hold the label", worth.set_coverage))
    rows.append(("labels in a set", f"{worth.set_size:.2f}", ""))
    model = made.model
    threshold = "none" if made.threshold is None else f"{made.threshold:.2f}"
    rows.append(("threshold of an answer", threshold, ""))
    rows.append(("temperature of the vote", f"{model.vote_temperature:.4g}", ""))
    rows.append(("hits that the prior weighs", f"{model.prior_hits:.4g}", ""))
    if made.source.classifier is not None:
        rows.append(("weight of the classifier", f"{model.weight:.2f}", ""))
    rows.append(("temperature", f"{model.temperature:.4g}", ""))
    return columns(rows)


def render_calibration_json(found: Calibrated) -> str:
    """One document."""
    document = {
        "cbir": "label calibration",
        "version": VERSION,
        "program": __version__,
        "calibration": found.made.to_dict(),
        "worth": {**asdict(found.worth), "is_result": found.worth.is_result},
        "queries": dict(found.counts),
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def notes_of(found: Calibrated) -> list[str]:
    """Who asked, and what the numbers do not say."""
    made, worth, source = found.made, found.worth, found.made.source
    asked = ", ".join(f"{label} {count}" for label, count in found.counts.items())
    who = f"{source.n_queries} items of {source.n_groups} patients asked ({asked}), {made.model.k} hits each"
    said = [f"{who}; the probabilities are by models that had not seen the item's patient"]
    if made.threshold is not None:
        sure = f"with {made.confidence:.0%} confidence at most {made.risk:.0%} of new answers are wrong"
        said.append(f"from probability {made.threshold:.2f} on it answers: {sure}")
    if source.n_queries < found.n_drawn_from:
        said.append(f"drawn, whole patients, from {found.n_drawn_from} labelled items")
    if found.n_unlabelled:
        said.append(f"left out: {found.n_unlabelled} items without a {source.column}")
    if found.n_learned:
        said.append(f"left out: {found.n_learned} items that classifier {source.classifier} learned from")
    if not worth.is_result:
        said.append(f"no result: not better than always answering {worth.constant}")
    if worth.gain_by_classifier is not None and not worth.classifier_helps:
        said.append(f"classifier {source.classifier} is no better than the vote alone")
    if made.threshold is None:
        sure = f"wrong answers to {made.risk:.0%} with {made.confidence:.0%} confidence"
        said.append(
            f"no threshold keeps {sure}: every prediction will abstain. Choose a higher --risk, a lower "
            "--confidence, or calibrate with more patients"
        )
    return said


def _row(name: str, found: Estimate, *, sign: str = "") -> tuple[str, str, str]:
    ends = found.interval
    span = "-" if ends is None else f"{ends.low:{sign}.4f} – {ends.high:{sign}.4f}"
    return name, f"{found.value:{sign}.4f}", span
