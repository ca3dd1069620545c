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
    highest = max(each.loss for each in epochs)
    shares = [max(each.loss, 0.0) / highest if highest > 0 else 0.0 for each in epochs]
    best = max(epochs, key=lambda each: each.precision)
    loss = line_chart(
        [Line("loss", shares)],
        x_title="epoch",
        y_title=f"loss / {highest:.4g}",
        alt=f"The loss over {len(epochs)} epochs, from {epochs[0].loss:.4g} to {epochs[-1].loss:.4g}.",
    )
    precision = line_chart(
        [
            Line("macro P@10", [each.precision for each in epochs]),
            Line("chance", [each.random for each in epochs], is_reference=True),
        ],
        x_title="epoch",
        y_title="macro P@10 of the validation part; chance dashed",
        alt=f"Macro P@10 over {len(epochs)} epochs; best {best.precision:.3f} in epoch {best.epoch}.",
    )
    frame: Attributes = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {_WIDTH} {2 * _HEIGHT}",
        "width": 2 * _WIDTH,
    }
    placed = [
        chart.replace("<svg ", f'<svg x="0" y="{place * _HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" ', 1)
        for place, chart in enumerate((loss, precision))
    ]
    return element("svg", frame, element("style", {}, _STYLE), *placed) + "\n"
