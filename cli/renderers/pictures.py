"""Thumbnails in a terminal of 24-bit colour: two pixels a character."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from cbir.printable import printable
from cli.renderers.answer import Answer
from cli.renderers.where import Shares, shares

if TYPE_CHECKING:
    from rich.console import RenderableType

_WIDTH = 24
_HEIGHT = 28
_PART = (255, 213, 74)


def print_pictures(answer: Answer) -> None:
    """Print the query and the hits as pictures, as many beside each other as fit the terminal."""
    from rich.columns import Columns
    from rich.console import Console, Group
    from rich.text import Text

    captions: list[tuple[bytes, str, str, Shares | None]] = [(answer.query_thumbnail, "query", "bold", None)]
    for hit in answer.hits:
        label = f" {printable(hit.item.label)}" if hit.item.label else ""
        thumbnail = answer.thumbnails.get(hit.item.id, b"")
        captions.append((thumbnail, f"{hit.rank}  {hit.score:.3f}{label}", "", shares(hit)))
    cells = [
        Group(_picture(thumbnail, part), Text(caption, style=style, overflow="ellipsis", no_wrap=True))
        for thumbnail, caption, style, part in captions
    ]
    Console().print(Columns(cells, width=_WIDTH + 2))


def _picture(thumbnail: bytes, part: Shares | None) -> RenderableType:
    from PIL import Image, ImageDraw
    from rich.text import Text
    from rich_pixels import Pixels

    if not thumbnail:
        return Text("(no picture)")
    picture = Image.open(io.BytesIO(thumbnail)).convert("RGB")
    picture.thumbnail((_WIDTH, _HEIGHT))
    if part:
        left, top, width, height = part
        right, bottom = (left + width) * picture.width - 1, (top + height) * picture.height - 1
        box = (left * picture.width, top * picture.height, right, bottom)
        if right >= box[0] and bottom >= box[1]:
            ImageDraw.Draw(picture).rectangle([round(each) for each in box], outline=_PART)
    pixels: RenderableType = Pixels.from_image(picture)
    return pixels
