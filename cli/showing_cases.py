"""Cases, shown as they were asked for: data on stdout, the rest on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.renderers import cases
from cli.terminal import note, out

if TYPE_CHECKING:
    from cli.renderers.case_answer import CaseAnswer
    from cli.showing import Shown


def show_cases(answer: CaseAnswer, shown: Shown) -> None:
    """Write it to stdout, the summary and every file that was skipped to stderr, and the page."""
    renderers = {
        "table": cases.render_cases,
        "json": cases.render_cases_json,
        "csv": cases.render_cases_csv,
        "paths": cases.render_cases_paths,
    }
    out(renderers[shown.form](answer))
    note(answer.summary())
    if labels := answer.labels():
        note("labels of the cases: " + ", ".join(f"{label} {count}" for label, count in labels.items()))
    for each in answer.notes:
        note(each)
    for image in answer.images:
        for said in image.notes:
            note(f"query: {image.name}: {said}")
    for skipped in answer.skipped:
        note(f"query: {skipped.path} skipped: {skipped.reason}: {skipped.detail}")
    if shown.html is not None:
        from cli.renderers.cases_page import write_cases_page

        write_cases_page(answer, shown.html)
        note(f"wrote {shown.html}")
