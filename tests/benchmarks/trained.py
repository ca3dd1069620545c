"""Networks trained further, against their start: ``python -m tests.benchmarks.trained --runs DIR [NAME...]``.

For the table in docs/results.md. Each is ``cbir train`` as a user calls it, five times, each with a seed of
its own that also deals the patients to train, val and test (50, 20, 30). The epoch is chosen on val; then
every test image asks the training images, once. A run that is in DIR already is not trained again, and one
that was interrupted goes on: hours on a CPU.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.ratio import run
from tests.benchmarks.seeds import SEEDS, Asked, gain, mean_and_deviation
from tests.benchmarks.tasks import TASKS, Task, named, shared_folder

START = "quick"
"""EfficientNet-Lite0: the network whose weights any machine has, and the only one a CPU trains in minutes."""
RECIPES = ("advanced-finetune", "metric-learning", "ordinal")


@dataclass
class Images:
    """The images of a task, and what every seed's test said of them, before and after."""

    codes: NDArray[np.int64]
    groups: list[str]
    trained: Asked
    start: Asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(TASKS)}; all without")
    parser.add_argument("--runs", type=Path, required=True, help="a folder that keeps the runs")
    options = parser.parse_args()
    tasks, shared = named(options.names), shared_folder()
    for task in tasks:
        print(f"\n{task.name}\n\n| recipe | macro P@10, five seeds | sd | frozen | sd | difference | p |")
        print("|---|---|---|---|---|---|---|")
        for line in rows(task, shared, options.runs):
            print(line, flush=True)


def rows(task: Task, shared: Path, folder: Path) -> Iterator[str]:
    """A line of the table for each recipe that the task's labels allow."""
    items = task.items(shared, folder)
    for recipe in RECIPES if task.grades else RECIPES[:-1]:
        label = task.grades if recipe == "ordinal" else task.label
        images = _images(items, task.label)
        for seed in SEEDS:
            target = folder / f"{task.name}-{recipe}-{seed}"
            if not (target / "card.json").is_file():
                words = ["--items", items, "--label", label, "--start", START, "--seed", seed, "-o", target]
                run(sys.executable, "-m", "cli", "train", recipe, *words, "--offline", "--resume")
            _add(target / "test.csv", items, images)
        difference, p_value = gain(images.trained, images.start, images.codes, images.groups)
        trained, start = (
            mean_and_deviation(each.macro(images.codes)) for each in (images.trained, images.start)
        )
        yield f"| {recipe} | {trained} | {start} | {difference} | {p_value} |"


def _images(items: Path, label: str) -> Images:
    rows_ = _table(items)
    codes = np.unique([row[label] for row in rows_], return_inverse=True)[1]
    return Images(codes.astype(np.int64), [row["patient_id"] for row in rows_], Asked(), Asked())


def _add(test: Path, items: Path, images: Images) -> None:
    place = {str((items.parent / row["path"]).resolve()): number for number, row in enumerate(_table(items))}
    asked = _table(test)
    rows_ = np.array([place[str(Path(row["path"]).resolve())] for row in asked], dtype=np.intp)
    images.trained.add(rows_, np.array([float(row["precision_at_10"]) for row in asked]))
    images.start.add(rows_, np.array([float(row["start_precision_at_10"]) for row in asked]))


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
