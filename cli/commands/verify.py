"""`cbir index verify`."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from cbir.printable import printable
from cli import options as opt
from cli.exit_codes import ExitCode
from cli.qdrant import server_of
from cli.settings import load_settings
from cli.terminal import note


def verify(*, index: opt.IndexOption = None, as_json: opt.AsJson = False) -> None:
    """Check every file, count and embedding of an index, and its store against exact search.

    Exits with 4 when something is wrong.
    """
    from indexer.verify import verify_index

    settings = load_settings(index=index)
    report = verify_index(settings.index, server=server_of(settings))
    if as_json:
        typer.echo(json.dumps({"cbir": "verify", "version": 1, "ok": report.ok, **asdict(report)}, indent=2))
    else:
        for finding in report.findings:
            typer.echo(printable(finding))
    if not report.ok:
        n_findings = len(report.findings)
        note(f"error: index {settings.index} is damaged: {n_findings} findings. Restore or build it again.")
        raise typer.Exit(ExitCode.INDEX)
    note(
        f"{settings.index} is sound: {report.n_files} files, {report.n_rows} embeddings, "
        f"{report.n_items} items, {report.n_queries} searches compared with the exact ones"
    )
