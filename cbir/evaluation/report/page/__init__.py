"""The page every report is printed on: head, colours of light, dark and paper, the notice, the provenance."""

from cbir.evaluation.report.page.figures import number, span
from cbir.evaluation.report.page.render import render_page
from cbir.printable import printable

__all__ = ["number", "printable", "render_page", "span"]
