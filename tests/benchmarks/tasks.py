"""Real images with a column to find again, for the tables of docs/results.md."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

_CROP_OF_RADIUS, _LEAST_CROP_PX = 1.5, 64
LESIONS = "lesions"


@dataclass(frozen=True)
class Task:
    """A data set's folder and the column; of grades, a column of their numbers too."""

    name: str
    data: str
    label: str
    grades: str | None = None

    def items(self, shared: Path, made: Path) -> Path:
        """The items file; lesions are cut out into ``made`` the first time."""
        if self.data != LESIONS:
            return shared / "data" / self.data / "labels.csv"
        target = made / LESIONS
        if not (target / "labels.csv").is_file():
            _crop_lesions(shared / "data" / "mini_mias", target)
        return target / "labels.csv"


TASKS = {
    task.name: task
    for task in (
        Task("density", "mini_mias", "density", "density_ordinal"),
        Task("severity", "mini_mias", "label", "severity"),
        Task("lesions", LESIONS, "label"),
        Task("breakhis", "breakhis_78", "label"),
    )
}


def shared_folder() -> Path:
    """Where real data lies; ends the program where it does not."""
    shared = Path(os.environ.get("CBIR_TEST_DATA", Path(__file__).parents[2] / ".." / "shared")).resolve()
    if not (shared / "data").is_dir():
        sys.exit(f"no test data in {shared}; set CBIR_TEST_DATA")
    return shared


def named(names: Sequence[str]) -> list[Task]:
    """The tasks of these names, all of none."""
    if unknown := set(names).difference(TASKS):
        sys.exit(f"no such task: {', '.join(sorted(unknown))}; there are {', '.join(TASKS)}")
    return [task for task in TASKS.values() if not names or task.name in names]


def _crop_lesions(mias: Path, target: Path) -> None:
    """The findings of mini-MIAS that have a circle: squares of 1.5 times its diameter."""
    (target / "images").mkdir(parents=True, exist_ok=True)
    with (mias / "labels.csv").open(encoding="utf-8") as file:
        found = [row for row in csv.DictReader(file) if row["label"] != "normal" and row["radius"]]
    with (target / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "label", "patient_id"])
        for row in found:
            image = cv2.imread(str(mias / row["path"]), cv2.IMREAD_UNCHANGED)
            if image is None:
                raise FileNotFoundError(mias / row["path"])
            x, y = float(row["x"]), image.shape[0] - float(row["y_from_bottom"])
            half = max(_CROP_OF_RADIUS * float(row["radius"]), _LEAST_CROP_PX)
            top, left = max(int(y - half), 0), max(int(x - half), 0)
            cv2.imwrite(str(target / row["path"]), image[top : int(y + half), left : int(x + half)])
            table.writerow([row["path"], row["label"], row["patient_id"]])
