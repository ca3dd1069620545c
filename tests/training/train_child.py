"""A training in a process of its own, to be killed, or one of several: FOLDER [die-in-epoch]."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))

from feeds import MemoryFeed, drawn_feed

from cbir.extractors.spec import BranchSpec, WeightsRef
from cbir.extractors.timm_model import create_timm
from cbir.images.steps import Normalise, Resize
from cbir.training.loop.epochs import LoopSettings, Trained, train_network
from cbir.training.loop.network import start_network
from cbir.training.recipe import NetworkRecipe, recipe_of

BACKBONE = 'timm:test_vit {"img_size": 32}'
"""Without batch norm, which sees a process's own share alone on a CPU."""
CPU = LoopSettings(device="cpu")
PAGE = {
    "name": "shared",
    "kind": "network",
    "extractor": "small",
    "epochs": 3,
    "batches": {"size": 7},
    "optimiser": {"old_rate": 1e-4, "new_rate": 1e-3, "weight_decay": 1e-4, "clip": 1.0},
    "losses": {
        "triplet": {"weight": 0.6, "margin": 0.5},
        "cross_entropy": {"weight": 0.3, "label_smoothing": 0.1},
        "centre": {"weight": 0.1},
        "proxy_anchor": {"weight": 0.1},
    },
}


def shared_feed() -> MemoryFeed:
    """Batches that two processes can't halve, the last one smaller."""
    return drawn_feed(n_train=18, n_validation=9, size=7)


def shared_recipe() -> NetworkRecipe:
    recipe = recipe_of(PAGE)
    assert isinstance(recipe, NetworkRecipe)
    return recipe


def run(
    folder: Path,
    *,
    resumes: bool = False,
    settings: LoopSettings = CPU,
    feed: MemoryFeed | None = None,
    recipe: NetworkRecipe | None = None,
) -> Trained:
    recipe = recipe or shared_recipe()
    torch.manual_seed(0)
    tensors = create_timm(BACKBONE).state_dict()
    steps = (Resize(32, 32), Normalise((0.5,) * 3, (0.5,) * 3))
    branch = BranchSpec(BACKBONE, WeightsRef("seeded", "ab" * 32), steps, "model", 64)
    network = start_network(recipe, branch, tensors, 3, source="a child")
    return train_network(recipe, feed or shared_feed(), network, folder, settings=settings, resumes=resumes)


def main() -> None:
    folder, *rest = sys.argv[1:]

    def die(epoch: int, step: int) -> None:
        if (epoch, step) == (2, 2):
            os.kill(os.getpid(), signal.SIGKILL)

    settings = replace(CPU, on_step=(lambda done: die(done.epoch, done.step)) if rest else None)
    run(Path(folder), settings=settings)


if __name__ == "__main__":
    main()
