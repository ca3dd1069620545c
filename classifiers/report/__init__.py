"""A classifier's evaluation as one self-contained HTML page, and as plain values for a JSON document."""

from classifiers.report.page import render_report
from classifiers.report.provenance import Provenance
from classifiers.report.report import Report, report_of

__all__ = ["Provenance", "Report", "render_report", "report_of"]
