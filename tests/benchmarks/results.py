"""The tables of docs/results.md on frozen extractors: ``python -m tests.benchmarks.results [NAME...]``.

Every row is an index that the program builds of a page of settings, and what the library measures of it.
Nothing is trained or chosen here: each page is written down before it is measured, and all are printed.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from cbir.evaluation.summary import summarise
from indexer.index import Index
from indexer.study import StudyPlan, study_index
from tests.benchmarks.ratio import run
from tests.benchmarks.result_pages import PAGES

_CROP_OF_RADIUS, _LEAST_CROP_PX = 1.5, 64


@dataclass(frozen=True)
class Task:
    """Images with a column to find again."""

    name: str
    data: str
    label: str
    pages: tuple[str, ...]


WHOLE = tuple(name for name in PAGES if "tiles" not in name)
TASKS = (
    Task("density", "mini_mias", "density", tuple(PAGES)),
    Task("severity", "mini_mias", "label", tuple(PAGES)),
    Task("lesions", "lesions", "label", WHOLE),
    Task("breakhis", "breakhis_78", "label", WHOLE),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(task.name for task in TASKS)}; all without")
    names = parser.parse_args().names
    shared = Path(os.environ.get("CBIR_TEST_DATA", Path(__file__).parents[2] / ".." / "shared")).resolve()
    if not (shared / "data").is_dir():
        sys.exit(f"no test data in {shared}; set CBIR_TEST_DATA")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        crop_lesions(shared / "data" / "mini_mias", folder / "lesions")
        for task in TASKS:
            if not names or task.name in names:
                print(f"\n{task.name}\n\n| page | dim | macro P@10 | 95 % interval | random | majority | |")
                print("|---|---|---|---|---|---|---|")
                for row in rows(task, shared, folder):
                    print(row, flush=True)


def rows(task: Task, shared: Path, folder: Path) -> Iterator[str]:
    """A line of the table for each page."""
    data = folder / task.data if task.data == "lesions" else shared / "data" / task.data
    for page in task.pages:
        index = build(page, data, shared, folder)
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


def build(page: str, data: Path, shared: Path, folder: Path) -> Path:
    """The index of a page over a data set; made once."""
    index = folder / f"{data.name}-{page}.index"
    if not index.is_dir():
        toml = folder / f"{page}.toml"
        toml.write_text(PAGES[page].replace("WEIGHTS", str(shared / "weights")), encoding="utf-8")
        words = [data / "images", "--labels", data / "labels.csv", "--extractor", toml, "-o", index]
        run(sys.executable, "-m", "cli", "index", "build", *words)
    return index


def crop_lesions(mias: Path, target: Path) -> None:
    """The findings of mini-MIAS that have a circle: squares of 1.5 times its diameter."""
    (target / "images").mkdir(parents=True)
    with (mias / "labels.csv").open(encoding="utf-8") as file:
        found = [row for row in csv.DictReader(file) if row["label"] != "normal" and row["radius"]]
    with (target / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "label", "patient_id"])
        for row in found:
            image = cv2.imread(str(mias / row["path"]), cv2.IMREAD_UNCHANGED)
            x, y = float(row["x"]), image.shape[0] - float(row["y_from_bottom"])
            half = max(_CROP_OF_RADIUS * float(row["radius"]), _LEAST_CROP_PX)
            top, left = max(int(y - half), 0), max(int(x - half), 0)
            cv2.imwrite(str(target / row["path"]), image[top : int(y + half), left : int(x + half)])
            table.writerow([row["path"], row["label"], row["patient_id"]])


def _short(value: float | None) -> str:
    return f"{value:.3f}".lstrip("0") if value is not None else "–"


if __name__ == "__main__":
    main()
