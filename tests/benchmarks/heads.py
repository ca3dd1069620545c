"""Light heads against the frozen vectors they stand on: ``python -m tests.benchmarks.heads [NAME...]``.

For the table in docs/results.md: five splits by patient into train, val and test (50, 20, 30), each with a
seed of its own. A recipe learns from train, chooses on val, and is measured once: every test image asks the
training images. Images are embedded once for all seeds; with ``--cache DIR`` once for all runs.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cbir.extractors.fusion import unit_rows
from cbir.training.frozen import Features, join_extractors, train_frozen
from cbir.training.material import Material, read_material
from cbir.training.recipe import FrozenRecipe, Named, read_recipe
from tests.benchmarks.result_pages import write_page
from tests.benchmarks.seeds import SEEDS, Asked, gain, mean_and_deviation
from tests.benchmarks.tasks import TASKS, Task, named, shared_folder

K = 10
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(TASKS)}; all without")
    parser.add_argument("--cache", type=Path, help="a folder that keeps the vectors")
    options = parser.parse_args()
    tasks, shared = named(options.names), shared_folder()
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        page = write_page("densenet121", shared, made)
        for task in tasks:
            print(f"\n{task.name}\n\n| recipe | macro P@10, five seeds | sd | frozen | difference | p |")
            print("|---|---|---|---|---|---|")
            for row in rows(task, shared, page, made, options.cache or made / "kept"):
                print(row, flush=True)


def rows(task: Task, shared: Path, page: Path, made: Path, cache: Path) -> Iterator[str]:
    """A line of the table for each recipe; differences are from the plain network's vectors."""
    items = str(task.items(shared, made))
    plain: Asked | None = None
    for name, recipe in variants().items():
        extractors = tuple(str(page) if each == "densenet121" else each for each in recipe.extractors)
        with_page = replace(recipe, extractors=extractors)
        joined = join_extractors(with_page, offline=True)
        own, trained, network = Asked(), Asked(), Asked()
        material = read_material(items, label_column=task.label, seed=0)
        for seed in SEEDS:
            material = read_material(items, label_column=task.label, seed=seed)
            found = train_frozen(material, replace(with_page, seed=seed), joined, Features(cache=cache))
            # At the first of its sides, or the only one: the plain network is the first branch.
            alone = unit_rows(found.start[:, :_DENSENET_DIM])
            for asked, vectors in ((own, found.start), (trained, found.trained), (network, alone)):
                asked.add(found.material.rows("test"), _precision(found.material, vectors))
        if plain is None:
            plain = network
            yield f"| {PLAIN} | {mean_and_deviation(plain.macro(material.codes))} | | | |"
        yield _line(name, trained, own, plain, material)


def _line(name: str, trained: Asked, own: Asked, plain: Asked, material: Material) -> str:
    difference, p_value = gain(trained, plain, material.codes, material.groups)
    frozen = np.mean(own.macro(material.codes))
    macros = mean_and_deviation(trained.macro(material.codes))
    return f"| {name} | {macros} | {frozen:.3f} | {difference} | {p_value} |"


def _precision(material: Material, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """P@10 of the test images among the training images, none of whose patients is theirs."""
    asking, gallery = material.rows("test"), material.rows("train")
    order = np.argsort(-(vectors[asking] @ vectors[gallery].T), axis=1, kind="stable")[:, :K]
    alike = material.codes[gallery][order] == material.codes[asking][:, None]
    found: NDArray[np.float64] = alike.sum(axis=1) / K
    return found


if __name__ == "__main__":
    main()
