"""An evaluation as one self-contained HTML page, and as plain values for a JSON document."""

from cbir.evaluation.report.class_bars import ClassBar
from cbir.evaluation.report.confusion import Confusion
from cbir.evaluation.report.curve import Curve
from cbir.evaluation.report.document import report_document
from cbir.evaluation.report.extremes import Asked, Extremes, Pictured
from cbir.evaluation.report.map2d import Map
from cbir.evaluation.report.provenance import Provenance
from cbir.evaluation.report.report import Compared, Report, report_of
from cbir.evaluation.report.retrieval import render_report

__all__ = [
    "Asked",
    "ClassBar",
    "Compared",
    "Confusion",
    "Curve",
    "Extremes",
    "Map",
    "Pictured",
    "Provenance",
    "Report",
    "render_report",
    "report_document",
    "report_of",
]
