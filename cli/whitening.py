"""What `cbir extractor whiten` and `cbir index whiten` are both told."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from cli.exit_codes import UsageProblem

Items = Annotated[
    str | None,
    typer.Option(metavar="WHO", help="Which items (default: all): an items file, or COLUMN=VALUE[,VALUE]."),
]
Dim = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Numbers in a vector, below a quarter of the items (default: as many as that allows; with "
        "--label, one less than labels).",
    ),
]
Shrinkage = Annotated[
    str,
    typer.Option(metavar="auto|0..1", help="How far variances are drawn together; auto: Ledoit-Wolf."),
]
Discriminated = Annotated[
    str | None,
    typer.Option("--label", help="Also tell the values of this column apart: linear discriminant analysis."),
]


def shrinkage_of(text: str) -> float | Literal["ledoit-wolf"]:
    """The number, or what the rows say.

    Raises:
        UsageProblem: neither.
    """
    if text == "auto":
        return "ledoit-wolf"
    try:
        return float(text)
    except ValueError:
        raise UsageProblem(f"--shrinkage is {text!r}. Give auto, or a number from 0 to 1.") from None
