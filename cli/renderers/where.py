"""Where in an image a hit lies."""

from __future__ import annotations

from cbir.types import Hit

Shares = tuple[float, float, float, float]
"""Left, top, width and height as shares of the image's, 0 to 1."""


def where(hit: Hit) -> str:
    """``x,y,width,height`` in pixels of the image; empty where the image was taken as a whole."""
    return "" if hit.box is None else ",".join(map(str, hit.box))


def sides(hit: Hit) -> tuple[int, int] | None:
    """The image's width and height, as its item says; None where it does not, or the box is not inside."""
    width, height = (hit.item.metadata.get(name) for name in ("width", "height"))
    if hit.box is None or not isinstance(width, int) or not isinstance(height, int):
        return None
    x, y, box_width, box_height = hit.box
    is_inside = x >= 0 and y >= 0 and x + box_width <= width and y + box_height <= height
    return (width, height) if is_inside and width > 0 and height > 0 else None


def shares(hit: Hit) -> Shares | None:
    """The hit's box as shares of its image; None where there is none, or the image's sides are not known."""
    known = sides(hit)
    if hit.box is None or known is None:
        return None
    x, y, width, height = hit.box
    return x / known[0], y / known[1], width / known[0], height / known[1]


def shares_of_square(hit: Hit) -> Shares | None:
    """The same of the square in whose middle the image lies, its longer side filling it."""
    found, known = shares(hit), sides(hit)
    if found is None or known is None:
        return None
    across, down = (side / max(known) for side in known)
    left, top, width, height = found
    return (1 - across) / 2 + left * across, (1 - down) / 2 + top * down, width * across, height * down
