"""`cbir index info`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

import typer

from cli import options as opt
from cli.settings import load_settings

_MIB = 2**20


def info(*, index: opt.IndexOption = None, as_json: opt.AsJson = False) -> None:
    """Say what an index is: extractor, counts, labels, size, age."""
    from indexer.index import Index
    from indexer.memos import remembered_sources

    settings = load_settings(index=index)
    with Index.open(settings.index, resident=False) as there:
        found = there.info()
        sources = [each.to_dict() for each in remembered_sources(there)]
    if as_json:
        document = {
            "cbir": "info",
            "version": 1,
            "path": str(settings.index),
            **asdict(found),
            "sources": sources,
        }
        typer.echo(json.dumps(document, indent=2))
        return
    from cli.renderers.table import columns

    rows = [
        ("extractor", f"{found.name} ({found.fingerprint[:16]}…), {found.dim} dimensions"),
        ("items", f"{found.n_items} ({found.n_rows} embeddings, {found.n_dead_rows} without items)"),
        ("files", _counts(found.n_files)),
        ("labels", _counts(found.n_labels)),
        ("store", found.store),
        ("size", f"{found.n_bytes / _MIB:.1f} MiB"),
        ("generation", f"{found.generation}, of {found.updated} (first of {found.created})"),
        ("sources", ", ".join(str(path) for each in sources for path in _texts(each["sources"]))),
    ]
    typer.echo(columns([("index", str(settings.index)), *rows]), nl=False)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
