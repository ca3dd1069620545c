"""The account of an ingest run: a table for the reader, a JSON line for every skipped file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from cbir.images.decoding import Unread
from cli.terminal import note
from indexer.ingesting.account import IngestReport
from indexer.storage.records import FileRecord


def tell_account(report: IngestReport) -> None:
    """Print to stderr what became of every file found."""
    n_skipped = sum(report.skipped.values())
    reasons = ", ".join(f"{reason} {count}" for reason, count in report.skipped.items())
    images = f"{report.images} images embedded" if report.images != report.indexed else ""
    moved = f"{report.moved} of them moved" if report.moved else ""
    rows = [
        ("found", report.found, _pace(report)),
        ("indexed", report.indexed, images),
        ("unchanged", report.unchanged, moved),
        ("duplicate", report.duplicate, ""),
        ("skipped", n_skipped, reasons),
    ]
    width = len(str(report.found))
    for name, count, remark in rows:
        note(f"{name:<10}{count:>{width}}" + (f"  {remark}" if remark else ""))
    for text, count in report.notes.items():
        note(f"note: {text}: {count}")
    if report.missing:
        note(f"note: {report.missing} files of the index are gone; index update --prune drops them")
    if report.unmatched_rows:
        note(f"note: {len(report.unmatched_rows)} rows of the labels fit no file that was found")


def write_skipped(records: Iterable[FileRecord | Unread], path: Path) -> None:
    r"""Write a JSON line a skipped file: path, reason, detail; bytes that are not UTF-8 as ``\udcXX``."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="ascii") as file:
            for record in records:
                line = {"path": record.path, "reason": record.reason, "detail": record.detail}
                file.write(json.dumps(line) + "\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _pace(report: IngestReport) -> str:
    rate = f", {report.found / report.seconds:.3g} files/s" if report.seconds > 0 else ""
    return f"in {report.seconds:.1f} s{rate}"
