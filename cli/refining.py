"""`--refine`, from its texts to refinements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cbir.errors import SpecError
from cli.exit_codes import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.refine import Refinement

Refine = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME[:FIELD=VALUE,…]",
        help="Search better: augment, expand or reciprocal; again for more of them (default: none).",
    ),
]


def refinements(texts: Sequence[str] | None) -> tuple[Refinement, ...]:
    """Those that a command line asks for.

    Raises:
        UsageProblem: an unknown name or setting, or a value that makes no sense.
    """
    if not texts:
        return ()
    from indexer.refine import parse_refinements

    try:
        return parse_refinements(texts)
    except SpecError as error:
        raise UsageProblem(f"--refine: {error}") from error
