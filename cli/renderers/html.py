"""Hits as one self-contained page: pictures inside, nothing fetched, nothing run."""

from __future__ import annotations

from pathlib import Path

from cbir import __version__
from cbir.printable import printable
from cbir.types import Hit
from cli.renderers.answer import SHOWN_METADATA, Answer
from cli.renderers.page import page_environment, write_page
from cli.renderers.prediction import WARNING, details, headline
from cli.renderers.where import shares_of_square, where


def render_html(answer: Answer) -> str:
    """The page; every text from a file name, label or column is escaped."""
    environment = page_environment()
    environment.filters |= {"headline": headline, "details": details}
    environment.filters |= {"facts": _facts, "shown": _shown, "shares": shares_of_square, "where": where}
    template = environment.get_template("hits.html.jinja")
    return template.render(answer=answer, version=__version__, labels=answer.labels(), warning=WARNING)


def write_html(answer: Answer, path: Path) -> None:
    """Write the page; a page that is there is replaced when the new one is whole."""
    write_page(render_html(answer), path)


def _shown(hit: Hit) -> list[str]:
    """What a radiologist looks for first."""
    values = (hit.item.metadata.get(name) for name in SHOWN_METADATA)
    return [printable(str(value)) for value in values if value is not None]


def _facts(hit: Hit) -> dict[str, str]:
    """What is worth reading under a picture, in order."""
    item = hit.item
    found = {"label": item.label, "group": item.group, **item.metadata, "frame": item.frame or None}
    if hit.box is not None:
        found["where"] = where(hit)
    return {name: str(value) for name, value in found.items() if value is not None}
