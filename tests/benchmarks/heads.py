"""Light heads against the frozen vectors they stand on: ``python -m tests.benchmarks.heads [NAME...]``.

For the table in docs/results.md: five splits by patient into train, val and test (50, 20, 30), each with a
seed of its own. A recipe learns from train, chooses on val, and is measured once: every test image asks the
training images. Images are embedded once for all seeds; with ``--cache DIR`` once for all runs.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.comparison import compare
from cbir.evaluation.intervals import Sample
from cbir.extractors.fusion import unit_rows
from cbir.training.frozen import Features, join_extractors, train_frozen
from cbir.training.material import Material, read_material
from cbir.training.recipe import FrozenRecipe, Named, read_recipe
from tests.benchmarks.result_pages import PAGES

K, SEEDS = 10, range(5)
TASKS = {
    "density": ("mini_mias", "density"),
    "breakhis": ("breakhis_78", "label"),
    "severity": ("mini_mias", "label"),
}
_DENSENET_DIM = 1024
PLAIN = "densenet121, frozen"


def variants() -> dict[str, FrozenRecipe]:
    """The recipes as they come, and what their settings were chosen against."""
    linear, fusion = read_recipe("linear"), read_recipe("handcrafted-fusion")
    if not isinstance(linear, FrozenRecipe) or not isinstance(fusion, FrozenRecipe):
        raise TypeError("these recipes train no network")
    return {
        "linear": linear,
        "handcrafted-fusion": fusion,
        "mlp over linear's vectors": replace(linear, head=fusion.head),
        "discriminant over handcrafted-fusion's vectors": replace(fusion, head=Named("discriminant")),
    }


@dataclass
class Asked:
    """P@10 of every test image in every seed."""

    rows: list[NDArray[np.intp]]
    values: list[NDArray[np.float64]]

    def macro(self, material: Material) -> list[float]:
        """One a seed."""
        return [
            _macro(values, material.codes[rows]) for rows, values in zip(self.rows, self.values, strict=True)
        ]

    def over_seeds(self, n_images: int) -> NDArray[np.float64]:
        """(n_images,), the mean over the seeds in which an image asked; NaN where it never did."""
        sums, counts = np.zeros(n_images), np.zeros(n_images)
        for rows, values in zip(self.rows, self.values, strict=True):
            sums[rows] += values
            counts[rows] += 1
        return np.divide(sums, counts, out=np.full(n_images, np.nan), where=counts > 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(TASKS)}; all without")
    parser.add_argument("--cache", type=Path, help="a folder that keeps the vectors")
    options = parser.parse_args()
    shared = Path(os.environ.get("CBIR_TEST_DATA", Path(__file__).parents[2] / ".." / "shared")).resolve()
    if not (shared / "data").is_dir():
        sys.exit(f"no test data in {shared}; set CBIR_TEST_DATA")
    with tempfile.TemporaryDirectory() as name:
        page = Path(name) / "densenet121.toml"
        page.write_text(PAGES["densenet121"].replace("WEIGHTS", str(shared / "weights")), encoding="utf-8")
        for task, (data, label) in TASKS.items():
            if not options.names or task in options.names:
                print(f"\n{task}\n\n| recipe | macro P@10, five seeds | sd | frozen | difference | p |")
                print("|---|---|---|---|---|---|")
                items = str(shared / "data" / data / "labels.csv")
                for row in rows(items, label, page, options.cache or Path(name) / "kept"):
                    print(row, flush=True)


def rows(items: str, label: str, page: Path, cache: Path) -> Iterator[str]:
    """A line of the table for each recipe; differences are from the plain network's vectors."""
    plain: Asked | None = None
    for name, recipe in variants().items():
        extractors = tuple(str(page) if each == "densenet121" else each for each in recipe.extractors)
        with_page = replace(recipe, extractors=extractors)
        joined = join_extractors(with_page, offline=True)
        own, trained, network = Asked([], []), Asked([], []), Asked([], [])
        material = read_material(items, label_column=label, seed=0)
        for seed in SEEDS:
            material = read_material(items, label_column=label, seed=seed)
            found = train_frozen(material, replace(with_page, seed=seed), joined, Features(cache=cache))
            # At the first of its sides, or the only one: the plain network is the first branch.
            alone = unit_rows(found.start[:, :_DENSENET_DIM])
            for asked, vectors in ((own, found.start), (trained, found.trained), (network, alone)):
                asked.rows.append(found.material.rows("test"))
                asked.values.append(_precision(found.material, vectors))
        if plain is None:
            plain = network
            macros = plain.macro(material)
            yield f"| {PLAIN} | {np.mean(macros):.3f} | {np.std(macros, ddof=1):.3f} | | | |"
        yield _line(name, trained, own, plain, material)


def _line(name: str, trained: Asked, own: Asked, plain: Asked, material: Material) -> str:
    n_images = len(material.images)
    groups = np.unique(np.asarray(material.groups), return_inverse=True)[1]
    values, before = trained.over_seeds(n_images), plain.over_seeds(n_images)
    asked = ~np.isnan(values)
    sample = Sample(values[asked], material.codes[asked], groups[asked])
    paired = compare(sample, before[asked])
    if paired.interval is None:
        raise RuntimeError(f"{name}: one group alone")
    interval = f"{paired.difference:+.3f} [{paired.interval.low:+.3f}, {paired.interval.high:+.3f}]"
    macros = trained.macro(material)
    frozen = np.mean(own.macro(material))
    return (
        f"| {name} | {np.mean(macros):.3f} | {np.std(macros, ddof=1):.3f} | {frozen:.3f} | {interval} "
        f"| {paired.p_value:.4f} |"
    )


def _precision(material: Material, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """P@10 of the test images among the training images, none of whose patients is theirs."""
    asking, gallery = material.rows("test"), material.rows("train")
    order = np.argsort(-(vectors[asking] @ vectors[gallery].T), axis=1, kind="stable")[:, :K]
    alike = material.codes[gallery][order] == material.codes[asking][:, None]
    found: NDArray[np.float64] = alike.sum(axis=1) / K
    return found


def _macro(values: NDArray[np.float64], codes: Sequence[int] | NDArray[np.int64]) -> float:
    return float(np.mean([values[codes == code].mean() for code in np.unique(codes)]))


if __name__ == "__main__":
    main()
