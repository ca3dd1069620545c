"""`cbir index diff`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cbir.printable import printable
from cli import options as opt

if TYPE_CHECKING:
    from indexer.difference import Difference, Findings


def diff(
    a: Annotated[Path, typer.Argument(help="An index directory.")],
    b: Annotated[Path, typer.Argument(help="Another.")],
    *,
    by: Annotated[
        Literal["path", "content"],
        typer.Option(help="What makes two items the same one: their path, or the bytes of their file."),
    ] = "path",
    as_json: opt.AsJson = False,
) -> None:
    """Say what one index has other than another: items, bytes, labels, embeddings, extractor, store.

    Exits with 0 whether they differ or not; `--json` says `equal`.
    """
    from cli.renderers.table import columns
    from indexer.difference import compare_indexes

    found = compare_indexes(a, b, order=by)
    if as_json:
        document = {"cbir": "diff", "version": 1, "a": str(a), "b": str(b), "equal": found.equal}
        typer.echo(json.dumps({**document, **asdict(found)}, indent=2))
        return
    typer.echo(columns(_rows(found, a, b)), nl=False)


def _rows(found: Difference, a: Path, b: Path) -> list[tuple[str, str]]:
    mine, yours = (each[:8] for each in found.fingerprints)
    by_column = ", ".join(f"{name} {count}" for name, count in found.columns.most_common())
    changed = _told(found.other_annotations)
    delta = "" if found.largest_delta is None else f"; largest |Δ| {found.largest_delta:.2g}"
    rows = [
        ("A", printable(str(a))),
        ("B", printable(str(b))),
        ("extractor", f"the same ({mine}…)" if found.same_extractor else f"A {mine}…, B {yours}…"),
        ("items", f"A {found.n_items[0]}, B {found.n_items[1]}, {found.n_same} the same in all"),
        ("only in A", _told(found.only_a)),
        ("only in B", _told(found.only_b)),
        ("other bytes", _told(found.other_bytes)),
        ("said otherwise", f"{changed}: {printable(by_column)}" if by_column else changed),
        ("other embedding", _told(found.other_embeddings) + delta),
    ]
    plain = {name: pair for name, pair in found.settings.items() if name != "spec"}
    return rows + [(name, f"A {pair[0]}, B {pair[1]}") for name, pair in plain.items()]


def _told(findings: Findings) -> str:
    """The number, and some of the paths."""
    if not findings.count:
        return "none"
    more = ", …" if findings.count > len(findings.examples) else ""
    return f"{findings.count} ({printable(', '.join(findings.examples))}{more})"
