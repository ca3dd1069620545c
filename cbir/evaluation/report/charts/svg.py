"""SVG as text; whatever comes from outside is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from cbir.printable import printable

Attributes = Mapping[str, str | float]


def element(name: str, attributes: Attributes, *children: str) -> str:
    """An element.

    Args:
        name: of the element.
        attributes: in their order; numbers are rounded to a hundredth.
        children: SVG; text goes through ``text_of`` or ``titled`` first.
    """
    written = "".join(f' {key}="{_value(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>{''.join(children)}</{name}>" if children else f"<{name}{written}/>"


def drawing(width: float, height: float, alt: str, *children: str) -> str:
    """A picture that grows and shrinks with the page.

    Args:
        width: of its own coordinates.
        height: likewise.
        alt: what a reader who does not see it is told.
        children: SVG.
    """
    frame = {"viewBox": f"0 0 {_value(width)} {_value(height)}", "role": "img", "aria-label": alt}
    return element("svg", frame, *children)


def text(words: str, x: float, y: float, place: str = "start", extra: Attributes | None = None) -> str:
    """Words at a point; ``place`` is start, middle or end."""
    return element("text", {"x": x, "y": y, "text-anchor": place, **(extra or {})}, text_of(words))


def titled(words: str) -> str:
    """What a pointer over the element is told."""
    return f"<title>{text_of(words)}</title>"


def text_of(words: str) -> str:
    """Words as SVG."""
    return escape(printable(words))


def _value(value: str | float) -> str:
    return escape(printable(value)) if isinstance(value, str) else f"{round(value, 2):g}"
