"""Text of strangers, made harmless."""

from __future__ import annotations

_LATIN_1, _BMP = 0xFF, 0xFFFF


def printable(text: str) -> str:
    r"""Text that can't play tricks: control, bidi and undecodable characters appear as ``\x1b``, ``\udcff``.

    File names and labels come from strangers: a terminal obeys escape sequences in them, and a page could not
    be written as UTF-8, or would show a label in another order.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code <= _LATIN_1 else f"\\u{code:04x}" if code <= _BMP else f"\\U{code:08x}"
