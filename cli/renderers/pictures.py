"""Thumbnails in a terminal of 24-bit colour: two pixels a character."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from cli.renderers.answer import Answer
from cli.terminal import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

_WIDTH = 24
_HEIGHT = 28


def print_pictures(answer: Answer) -> None:
    """Print the query and the hits as pictures, as many beside each other as fit the terminal."""
    from rich.columns import Columns
    from rich.console import Console, Group
    from rich.text import Text

    captions = [(answer.query_thumbnail, "query", "bold")]
    for hit in answer.hits:
        label = f" {printable(hit.item.label)}" if hit.item.label else ""
        captions.append((answer.thumbnails.get(hit.item.id, b""), f"{hit.rank}  {hit.score:.3f}{label}", ""))
    cells = [
        Group(_picture(thumbnail), Text(caption, style=style, overflow="ellipsis", no_wrap=True))
        for thumbnail, caption, style in captions
    ]
    Console().print(Columns(cells, width=_WIDTH + 2))


def _picture(thumbnail: bytes) -> RenderableType:
    from PIL import Image
    from rich.text import Text
    from rich_pixels import Pixels

    if not thumbnail:
        return Text("(no picture)")
    picture = Image.open(io.BytesIO(thumbnail)).convert("RGB")
    picture.thumbnail((_WIDTH, _HEIGHT))
    pixels: RenderableType = Pixels.from_image(picture)
    return pixels
