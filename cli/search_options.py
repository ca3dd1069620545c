"""The options of `cbir search`, by the panel of its help that they stand in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.settings import StoreKind

_ASKED, _FOUND, _OUTPUT = "What is asked", "Who may be found", "What comes out"

# What is asked
Roi = Annotated[
    str | None,
    typer.Option(
        metavar="X,Y,W,H",
        help="A region of the image, in pixels, as if it were the whole.",
        rich_help_panel=_ASKED,
    ),
]
Like = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ID",
        help="More like this item; again for more; without QUERY, too.",
        rich_help_panel=_ASKED,
    ),
]
Unlike = Annotated[
    list[str] | None,
    typer.Option(metavar="ID", help="Less like this item; again for more.", rich_help_panel=_ASKED),
]
Batch = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Many queries: CSV or Parquet with a column path or id, and roi and group where wanted.",
        rich_help_panel=_ASKED,
    ),
]
By = Annotated[
    Literal["image", "case"],
    typer.Option(
        help="What is searched for: an image, or a case: a folder of the views of one examination.",
        rich_help_panel=_ASKED,
    ),
]
Tta = Annotated[
    bool | None,
    typer.Option(
        "--tta/--no-tta",
        help="Look at the query in five views, and average (default: as the index was built).",
        rich_help_panel=_ASKED,
    ),
]

Predict = Annotated[
    bool,
    typer.Option(
        "--predict",
        help="Also say what it is: the label that the nearest items vote for, with its probability and the "
        "hits for and against; or that nothing is sure enough.",
        rich_help_panel=_ASKED,
    ),
]

# Who may be found
ExcludeSame = Annotated[
    Literal["group"] | None,
    typer.Option(help="Leave out every image of the query's patient.", rich_help_panel=_FOUND),
]

Where = Annotated[
    str | None,
    typer.Option(
        metavar="EXPR",
        help="Only items that fit, as in \"view = 'MLO' and age >= 50\"; index info --columns says what "
        "can be asked.",
        rich_help_panel=_FOUND,
    ),
]

Store = Annotated[
    StoreKind | None,
    typer.Option(
        help="Search with this store in the place of the index's own; exact needs no server.",
        rich_help_panel=_FOUND,
    ),
]

# What comes out
AsJson = Annotated[bool, typer.Option("--json", help="A JSON document on stdout.", rich_help_panel=_OUTPUT)]
AsCsv = Annotated[bool, typer.Option("--csv", help="CSV on stdout.", rich_help_panel=_OUTPUT)]
AsPaths = Annotated[bool, typer.Option("--paths", help="Paths alone, one a line.", rich_help_panel=_OUTPUT)]
Html = Annotated[
    Path | None,
    typer.Option(help="Also write a page with the pictures, in one file.", rich_help_panel=_OUTPUT),
]
Explain = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Also write, for each hit, where it resembles the query: a pair of pictures, and explain.json.",
        rich_help_panel=_OUTPUT,
    ),
]
Thumbs = Annotated[
    bool | None,
    typer.Option(
        "--thumbs/--no-thumbs",
        help="Pictures beside the table (default: where the terminal can).",
        rich_help_panel=_OUTPUT,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="Of --batch: the CSV or Parquet file to write (default: CSV on stdout).",
        rich_help_panel=_OUTPUT,
    ),
]
