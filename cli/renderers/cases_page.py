"""Cases as one self-contained page: a card a case, the images that were paired side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir import __version__
from cli.renderers.page import page_environment, write_page

if TYPE_CHECKING:
    from pathlib import Path

    from cli.renderers.case_answer import CaseAnswer


def render_cases_page(answer: CaseAnswer) -> str:
    """The page; every text from a file name, label or column is escaped."""
    template = page_environment().get_template("cases.html.jinja")
    return template.render(answer=answer, version=__version__, labels=answer.labels())


def write_cases_page(answer: CaseAnswer, path: Path) -> None:
    """Write the page; a page that is there is replaced when the new one is whole."""
    write_page(render_cases_page(answer), path)
