"""A training's epochs as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.evaluation.report.charts import Line, line_chart
from cbir.evaluation.report.charts.svg import Attributes, element

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbir.training.loop.history import EpochDone

_STYLE = """
svg { font-family: system-ui, sans-serif; background: #fff }
text { font-size: 10px; fill: #56616b }
.axis-title { fill: #15191d }
.grid { stroke: #dde1e5; stroke-width: 1 }
.line { fill: none; stroke: #0b5c8a; stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round }
.dot { fill: #0b5c8a }
.reference { fill: none; stroke: #b3560b; stroke-width: 1.8; stroke-dasharray: 5 4 }
"""
_WIDTH, _HEIGHT = 400, 268


def draw_history(epochs: Sequence[EpochDone]) -> str:
    """An SVG file of its own: the loss above, validation with its chance below.

    Args:
        epochs: from the first; at least one.
    """
    return draw_curves(
        [each.loss for each in epochs],
        [each.precision for each in epochs],
        [each.random for each in epochs],
        measure="macro P@10",
    )


def draw_curves(
    losses: Sequence[float], values: Sequence[float], chances: Sequence[float], *, measure: str
) -> str:
    """An SVG file of its own: the loss above, a measure of the validation part with its chance below.

    Args:
        losses: (n_epochs,), at least one.
        values: (n_epochs,), of the measure.
        chances: (n_epochs,), what it is without having learnt anything.
        measure: its name.
    """
    highest, best = max(losses), max(values)
    shares = [max(each, 0.0) / highest if highest > 0 else 0.0 for each in losses]
    loss = line_chart(
        [Line("loss", shares)],
        x_title="epoch",
        y_title=f"loss / {highest:.4g}",
        alt=f"The loss over {len(losses)} epochs, from {losses[0]:.4g} to {losses[-1]:.4g}.",
    )
    validated = line_chart(
        [Line(measure, values), Line("chance", chances, is_reference=True)],
        x_title="epoch",
        y_title=f"{measure} of the validation part; chance dashed",
        alt=f"{measure} over {len(values)} epochs; best {best:.3f} in epoch {1 + list(values).index(best)}.",
    )
    frame: Attributes = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {_WIDTH} {2 * _HEIGHT}",
        "width": 2 * _WIDTH,
    }
    placed = [
        chart.replace("<svg ", f'<svg x="0" y="{place * _HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" ', 1)
        for place, chart in enumerate((loss, validated))
    ]
    return element("svg", frame, element("style", {}, _STYLE), *placed) + "\n"
