"""How much room words take, and how they are cut to fit."""

from __future__ import annotations

import unicodedata

from cbir.printable import printable

_WIDE = {"W", "F"}


def room(words: str) -> int:
    """In halves of a square: a Latin letter takes one, a Chinese one two, a combining mark none."""
    return sum(map(_room, printable(words)))


def cut(words: str, most: int) -> str:
    """Words that take at most ``most`` halves of a square, with an ellipsis where some are missing."""
    shown = printable(words)
    if room(shown) <= most:
        return shown
    left, kept = most - 1, []
    for character in shown:
        left -= _room(character)
        if left < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"


def _room(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1
