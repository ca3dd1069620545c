"""The tables of docs/results.md on frozen extractors: ``python -m tests.benchmarks.results [NAME...]``.

Every row is an index that the program builds of a page of settings, and what the library measures of it.
Nothing is trained or chosen here: each page is written down before it is measured, and all are printed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cbir.evaluation.summary import summarise
from indexer.index import Index
from indexer.study import StudyPlan, study_index
from tests.benchmarks.ratio import run
from tests.benchmarks.result_pages import PAGES, write_page
from tests.benchmarks.tasks import TASKS, Task, named, shared_folder

WHOLE = tuple(name for name in PAGES if "tiles" not in name)
CUT_OUT = ("lesions", "breakhis")
"""Tasks whose images are as small as a tile."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(TASKS)}; all without")
    tasks, shared = named(parser.parse_args().names), shared_folder()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for task in tasks:
            print(f"\n{task.name}\n\n| page | dim | macro P@10 | 95 % interval | random | majority | |")
            print("|---|---|---|---|---|---|---|")
            for row in rows(task, shared, folder):
                print(row, flush=True)


def rows(task: Task, shared: Path, folder: Path) -> Iterator[str]:
    """A line of the table for each page."""
    items = task.items(shared, folder)
    for page in WHOLE if task.name in CUT_OUT else PAGES:
        index = build(page, items, shared, folder)
        with Index.open(index) as opened:
            study = study_index(opened, StudyPlan(label=task.label))
            found = summarise(study, ["precision"]).rows["precision"].macro
            dim = opened.dim
        if found.interval is None:
            raise RuntimeError(f"{page} on {task.name}: one group alone")
        verdict = "no result" if found.unbeaten else ""
        numbers = f"{_short(found.value)} | {_short(found.interval.low)} – {_short(found.interval.high)}"
        chance = f"{_short(found.random)} | {_short(found.majority)}"
        yield f"| `{page}` | {dim} | {numbers} | {chance} | {verdict} |"


def build(page: str, items: Path, shared: Path, folder: Path) -> Path:
    """The index of a page over a data set; made once."""
    index = folder / f"{items.parent.name}-{page}.index"
    if not index.is_dir():
        toml = write_page(page, shared, folder)
        words = [items.parent / "images", "--labels", items, "--extractor", toml, "-o", index]
        run(sys.executable, "-m", "cli", "index", "build", *words)
    return index


def _short(value: float | None) -> str:
    return f"{value:.3f}".lstrip("0") if value is not None else "–"


if __name__ == "__main__":
    main()
