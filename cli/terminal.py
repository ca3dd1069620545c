"""What goes to the terminal: notes to stderr, bytes to stdout."""

from __future__ import annotations

import os
import sys

import typer

from cbir.printable import printable


def note(text: str = "") -> None:
    """Say something beside the data: a line on stderr."""
    typer.echo(printable(text), err=True)


def out(text: str) -> None:
    """Write data to stdout; undecodable bytes of file names leave as they came."""
    typer.echo(text.encode("utf-8", "surrogateescape"), nl=False)


def has_terminal() -> bool:
    """Whether a person watches stderr."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def shows_pictures() -> bool:
    """Whether stdout is a terminal of 24-bit colour, and colour is wanted."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return sys.stdout.isatty() and wanted and os.environ.get("COLORTERM") in {"truecolor", "24bit"}
