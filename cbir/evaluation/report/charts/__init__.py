"""Charts as inline SVG: numbers in, text out; colours come from the page."""

from cbir.evaluation.report.charts.bars import Mark, bar, swatch
from cbir.evaluation.report.charts.heatmap import HeatRow, heatmap
from cbir.evaluation.report.charts.histogram import histogram
from cbir.evaluation.report.charts.line import Line, line_chart
from cbir.evaluation.report.charts.plane import SHARES, Trace, plane, trace_swatch
from cbir.evaluation.report.charts.radar import Shape, radar
from cbir.evaluation.report.charts.scale import share_ticks, tick_places
from cbir.evaluation.report.charts.scatter import N_SLOTS, marker, scatter

__all__ = [
    "N_SLOTS",
    "SHARES",
    "HeatRow",
    "Line",
    "Mark",
    "Shape",
    "Trace",
    "bar",
    "heatmap",
    "histogram",
    "line_chart",
    "marker",
    "plane",
    "radar",
    "scatter",
    "share_ticks",
    "swatch",
    "tick_places",
    "trace_swatch",
]
