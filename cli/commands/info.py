"""`cbir index info`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cbir.printable import printable
from cli import options as opt
from cli.opening import look_at_index
from cli.settings import Settings, load_settings
from cli.terminal import out

if TYPE_CHECKING:
    from indexer.attachments import Attachment
    from indexer.info import IndexInfo
    from indexer.ingesting.precision import Precision

_MIB = 2**20


def info(
    *,
    index: opt.IndexOption = None,
    columns: Annotated[
        bool, typer.Option("--columns", help="The columns that --where can ask for, and what they hold.")
    ] = False,
    as_json: opt.AsJson = False,
) -> None:
    """Say what an index is: extractor, counts, labels, size, age; or what its items can be chosen by."""
    if columns:
        _tell_columns(load_settings(index=index), as_json=as_json)
        return
    from indexer.ingesting.memos import remembered_sources
    from indexer.ingesting.precision import remembered_precision

    settings = load_settings(index=index)
    with look_at_index(settings) as there:
        found = there.info()
        precision = remembered_precision(there)
        sources = [each.to_dict() for each in remembered_sources(there)]
        tenants = there.tenant_column
        spec = there.spec.to_dict()
        attached = [_attached(there.attachment(each)) for each in there.attachments()]
    if as_json:
        document = {
            "cbir": "info",
            "version": 1,
            "path": str(settings.index),
            **asdict(found),
            "precision": asdict(precision) if precision else None,
            "tenant_column": tenants,
            "sources": sources,
            "attached": attached,
            "spec": spec,
        }
        typer.echo(json.dumps(document, indent=2))
        return
    from cli.renderers.table import columns as aligned

    rows = [
        ("extractor", f"{found.name} ({found.fingerprint[:16]}…), {found.dim} dimensions"),
        ("precision", _precision(precision)),
        ("items", f"{found.n_items} ({_embeddings(found)}, {found.n_dead_rows} without items)"),
        ("files", _counts(found.n_files)),
        ("labels", _counts(found.n_labels)),
        ("tenants", f"kept apart by {printable(tenants)}" if tenants else "none"),
        ("store", _store(found)),
        ("attached", ", ".join(map(_attachment, attached)) or "nothing"),
        ("size", f"{found.n_bytes / _MIB:.1f} MiB"),
        ("format", _format(found.format)),
        ("generation", f"{found.generation}, of {found.updated} (first of {found.created})"),
        ("sources", ", ".join(str(path) for each in sources for path in _texts(each["sources"]))),
    ]
    typer.echo(aligned([("index", str(settings.index)), *rows]), nl=False)


def _tell_columns(settings: Settings, *, as_json: bool) -> None:
    from cli.renderers.column_list import render_columns, render_columns_json

    with look_at_index(settings) as there:
        found, n_items = list(there.columns()), len(there)
    out(render_columns_json(found, n_items) if as_json else render_columns(found, n_items))


def _format(found: int) -> str:
    from indexer.formats import FORMAT

    return f"{found}" + (f"; the next change brings it to {FORMAT}" if found < FORMAT else "")


def _attached(found: Attachment) -> dict[str, object]:
    said = found.settings
    return {
        "name": found.name,
        "kind": said.get("kind") if isinstance(said, dict) else None,
        "columns": list(found.columns),
        "n_images": found.n_images,
    }


def _attachment(said: Mapping[str, object]) -> str:
    kind = f"{said['kind']}, " if said["kind"] else ""
    return f"{said['name']} ({kind}{said['n_images']} images)"


def _embeddings(found: IndexInfo) -> str:
    in_parts = found.n_rows - found.n_dead_rows > found.n_items
    return f"{found.n_rows} embeddings" + (" of their parts" if in_parts else "")


def _store(found: IndexInfo) -> str:
    """What answers, and what its build measured."""
    said = [found.store]
    if engine := found.store_settings.get("engine"):
        said.append(f"{engine}, {found.store_rows} points")
    if recall := found.store_settings.get("recall_at_10"):
        said.append(f"recall@10 {recall} when built")
    if found.is_payload_current is not None:
        said.append(
            "filters by its payloads"
            if found.is_payload_current
            else "its payloads are older than the items: filters take longer until cbir index rebuild"
        )
    return "; ".join(said)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def _precision(found: Precision | None) -> str:
    """What computing in bf16 cost, on images of the index."""
    if found is None:
        return "not measured"
    return (
        f"{found.computed_in}; to float32 the least cosine is {found.least_cosine:.6f}, and "
        f"{found.recall_at_10:.1%} of the 10 nearest stay ({found.n_images} images)"
    )


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
