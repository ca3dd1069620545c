"""A label prediction as text, and as a part of the JSON document and of the CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cbir.printable import printable
from cbir.types import Hit
from cli.renderers.table import columns

if TYPE_CHECKING:
    from deploy.labelling.predicting import Predicted

_SHOWN = 5
WARNING = "Research use only, not for diagnosis"


def render_prediction(predicted: Predicted) -> str:
    """The answer, the hits for and against it, and the probability of every label."""
    said = predicted.prediction
    lines = [headline(predicted)]
    lines += [f"  {name}: {value}" for name, value in details(predicted).items()]
    rows: list[tuple[str, ...]] = [("", "rank", "score", "label", "id", "path")]
    rows += [_row("for", hit) for hit in said.support[:_SHOWN]]
    rows += [_row("against", hit) for hit in said.against[:_SHOWN]]
    table = columns(rows) if len(rows) > 1 else ""
    return "\n" + "".join(f"{printable(line)}\n" for line in lines) + table + f"{WARNING}\n"


def headline(predicted: Predicted) -> str:
    """The label and its probability, or the best candidate and why it is not answered; what it is worth."""
    said = predicted.prediction
    worth = f"(calibrated, at most {predicted.risk:.0%} wrong)" if predicted.risk else "(not calibrated)"
    if said.label is None:
        return (
            f"{predicted.column}: abstains: {said.why}. Best candidate {said.candidate}, probability "
            f"{said.probability:.2f}"
        )
    return f"{predicted.column}: {said.label}, probability {said.probability:.2f} {worth}"


def details(predicted: Predicted) -> dict[str, str]:
    """What stands below the headline, by name."""
    said = predicted.prediction
    n_for, n_against = len(said.support), len(said.against)
    unsaid = f", {said.n_unlabelled} without a label" if said.n_unlabelled else ""
    found = {"labels": ", ".join(f"{label} {share:.2f}" for label, share in said.probabilities.items())}
    if predicted.risk is not None:
        names = ", ".join(said.label_set)
        found["one of"] = f"{names} (a set that misses the label at most {predicted.risk:.0%} of the times)"
    found["hits"] = f"{n_for} for {said.candidate}, {n_against} against{unsaid}, of other patients"
    if predicted.note:
        found["note"] = predicted.note
    return found


def prediction_document(predicted: Predicted) -> dict[str, object]:
    """As JSON says it."""
    said = predicted.prediction
    return {
        "column": predicted.column,
        "label": said.label,
        "candidate": said.candidate,
        "probability": said.probability,
        "calibrated": said.is_calibrated,
        "risk": predicted.risk,
        "abstains": said.why or None,
        "label_set": list(said.label_set) if said.is_calibrated else None,
        "probabilities": dict(said.probabilities),
        "k": predicted.k,
        "support": _hits(said.support),
        "against": _hits(said.against),
        "unlabelled": said.n_unlabelled,
        "note": predicted.note or None,
        "warning": WARNING,
    }


def prediction_cells(predicted: Predicted) -> dict[str, object]:
    """The columns that every row of a CSV gets."""
    said = predicted.prediction
    return {
        "predicted": said.label,
        "candidate": said.candidate,
        "probability": f"{said.probability:.6f}",
        "calibrated": said.is_calibrated,
    }


def _hits(hits: Sequence[Hit]) -> list[dict[str, object]]:
    return [
        {"rank": hit.rank, "score": hit.score, "id": hit.item.id, "label": hit.item.label} for hit in hits
    ]


def _row(side: str, hit: Hit) -> tuple[str, ...]:
    item = hit.item
    return side, str(hit.rank), f"{hit.score:.4f}", item.label or "", item.id, item.path
