"""`cbir serve key new`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.terminal import note, out


def new(
    *,
    keys: Annotated[
        Path, typer.Option("--keys", help="The file of keys, made where there is none (kept: the hash).")
    ],
    scope: Annotated[
        Literal["read", "write"], typer.Option(help="What the key may do; no address asks for write yet.")
    ] = "read",
    index: Annotated[
        list[str] | None,
        typer.Option(
            "--index", metavar="NAME", help="An index that it opens; again for more (default: all)."
        ),
    ] = None,
    tenant: Annotated[
        str | None,
        typer.Option("--tenant", metavar="NAME", help="Whose items it shows, where an index keeps tenants."),
    ] = None,
) -> None:
    """Make a key for `cbir serve --keys FILE`, and show it, once: the file keeps its hash alone."""
    from deploy.service.keys import new_key

    key = new_key(keys, scope=scope, indexes=index or (), tenant=tenant)
    note(
        f"A {scope} key, kept nowhere else; its hash is in {keys}. A running service takes it within seconds."
    )
    out(key + "\n")
