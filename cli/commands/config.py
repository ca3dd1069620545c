"""`cbir config show`."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from cli import options as opt
from cli.settings import resolve, secret_names, setting_names


def show(*, as_json: opt.AsJson = False) -> None:
    """Show every setting, its value, and where it comes from: flag > CBIR_* > cbir.toml > default."""
    resolved = resolve()
    rows = []
    for name in setting_names():
        value = getattr(resolved.settings, name)
        if name in secret_names() and value is not None:
            value = "(secret)"
        rows.append((name, str(value) if isinstance(value, Path) else value, resolved.origins[name]))
    if as_json:
        settings = {name: {"value": value, "origin": origin} for name, value, origin in rows}
        typer.echo(json.dumps({"cbir": "settings", "version": 1, "settings": settings}, indent=2))
        return
    from cli.renderers.table import columns

    texts = [(name, "-" if value is None else str(value), origin) for name, value, origin in rows]
    typer.echo(columns([("setting", "value", "from"), *texts]), nl=False)
