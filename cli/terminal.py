"""What goes to the terminal: notes to stderr, text made harmless, bytes to stdout."""

from __future__ import annotations

import os
import sys

import typer

_LATIN_1, _BMP = 0xFF, 0xFFFF


def note(text: str = "") -> None:
    """Say something beside the data: a line on stderr."""
    typer.echo(printable(text), err=True)


def printable(text: str) -> str:
    r"""Text that can't play tricks: control, bidi and undecodable characters appear as ``\x1b``, ``\udcff``.

    File names and labels come from strangers; a terminal obeys escape sequences in them.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


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


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code <= _LATIN_1 else f"\\u{code:04x}" if code <= _BMP else f"\\U{code:08x}"
