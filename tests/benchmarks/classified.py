"""Classifiers on real data: ``python -m tests.benchmarks.classified --runs DIR [NAME...]``.

For docs/results.md. Each is ``cbir classify train`` as a user calls it, five times, each with a seed of its
own that also deals the patients to train, val and test (50, 20, 30), with fewer epochs and smaller images
than the papers have: a CPU is slow. ``cbir classify evaluate`` says what each is worth. A run that
is in DIR already is not trained again, and one that was interrupted goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tomlkit

from classifiers.recipe import RECIPES
from tests.benchmarks.ratio import run
from tests.benchmarks.result_pages import write_page
from tests.benchmarks.seeds import SEEDS, mean_and_deviation
from tests.benchmarks.tasks import TASKS, shared_folder

SIDES = {"side_px": 224, "cache_px": 256}
MEASURES = ("accuracy", "macro_f1", "macro_auc", "mcc", "quadratic_kappa")
HEADER = "| measure | five seeds | sd | random | majority | seeds that beat both |"


@dataclass(frozen=True)
class Trained:
    """A recipe on a task, at 224 px from a start that a CPU can train; ``epochs`` at most, of each stage."""

    recipe: str
    task: str
    start: str
    epochs: int
    by_grade: bool = False


TRAINED = {
    each.recipe: each
    for each in (
        Trained("hybrid-fusion", "lesions", "lite0+hc", 10),
        Trained("dal-hybrid", "density", "lite0", 6, by_grade=True),
        Trained("se-densenet", "breakhis", "densenet121", 8),
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(TRAINED)}; all without")
    parser.add_argument("--runs", type=Path, required=True, help="a folder that keeps the runs")
    options, shared = parser.parse_args(), shared_folder()
    for each in TRAINED.values():
        if not options.names or each.recipe in options.names:
            print(f"\n{each.recipe} on {each.task}\n\n{HEADER}\n{'|---' * 6}|")
            for line in evaluated(each, shared, options.runs):
                print(line, flush=True)


def evaluated(each: Trained, shared: Path, folder: Path) -> Iterator[str]:
    """A line of the table for each measure: what five runs are worth on patients they never saw."""
    folder.mkdir(parents=True, exist_ok=True)
    task, start = TASKS[each.task], write_page(each.start, shared, folder)
    recipe = folder / f"{each.recipe}.toml"
    page = tomllib.loads(RECIPES[each.recipe].read_text(encoding="utf-8"))
    small = SIDES | {key: page[key] for key in page if key not in SIDES}
    recipe.write_text(tomlkit.dumps(small), encoding="utf-8")
    label = task.grades if each.by_grade else task.label
    found = []
    for seed in SEEDS:
        target = folder / f"{each.recipe}-{each.task}-{seed}"
        if not (target / "card.json").is_file():
            words = ["--items", task.items(shared, folder), "--label", label, "--start", start]
            words += ["--epochs", each.epochs, "--seed", seed, "-o", target, "--offline", "--resume"]
            run(sys.executable, "-m", "cli", "classify", "train", recipe, *words)
        said = run(sys.executable, "-m", "cli", "classify", "evaluate", target, "--json")
        found.append(json.loads(said)["measures"])
    for name in MEASURES:
        seeds = [measures[name] for measures in found if name in measures]
        if seeds:
            values = mean_and_deviation([measure["value"] for measure in seeds])
            chance = (np.mean([measure[kind] for measure in seeds]) for kind in ("random", "majority"))
            n_beating = sum(measure["beats_both"] for measure in seeds)
            shown = " | ".join(f"{value:.3f}" for value in chance)
            yield f"| {name} | {values} | {shown} | {n_beating} of {len(seeds)} |"


if __name__ == "__main__":
    main()
