"""The training loop over decoded images against the bare step on ready tensors."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import Accelerator

from cbir.extractors.checkpoint import read_checkpoint
from cbir.extractors.spec import BranchSpec
from cbir.training.feeding.decoded import Decoded, decode_images, network_plans
from cbir.training.feeding.decoded_feed import DecodedFeed
from cbir.training.loop.network import TrainedNetwork, start_network
from cbir.training.loop.optimise import Optimisers
from cbir.training.loop.start import Start, find_start
from cbir.training.loop.trainer import Trainer
from cbir.training.losses.create import WeightedLosses
from cbir.training.material import read_material
from cbir.training.recipe import NetworkRecipe, read_recipe
from tests.benchmarks.ratio import Ratio, take_turns

N_STEPS = {"quick": 4, "densenet121": 2}
"""Of each network, the recipe's own last."""


def measure(shared: Path, rounds: int) -> Iterator[Ratio]:
    """The metric-learning recipe on mini-MIAS, 224 px: crops, turns and all, against one ready batch."""
    for extractor, n_steps in N_STEPS.items():
        yield measure_one(shared, extractor, n_steps, rounds)


def measure_one(shared: Path, extractor: str, n_steps: int, rounds: int) -> Ratio:
    recipe = read_recipe("metric-learning")
    if not isinstance(recipe, NetworkRecipe):
        raise TypeError(f"metric-learning is a {type(recipe).__name__}.")
    recipe = replace(recipe, extractor=extractor)
    weights = None if extractor == "quick" else shared / "weights" / f"{extractor}.fp16.safetensors"
    start = find_start(recipe, weights=weights, offline=True)
    material = read_material(str(shared / "data" / "mini_mias" / "labels.csv"), label_column="density")
    with tempfile.TemporaryDirectory() as folder:
        plans = network_plans(start.spec, start.branch, recipe.cache_px)
        decoded = decode_images(material, plans, Path(folder), read=start.spec.read)
        feed = _FewBatches(decoded, start.branch, recipe, n_steps)
        accelerator = Accelerator()
        network = network_of(recipe, start, feed.n_classes)
        losses = WeightedLosses(recipe.losses, feed.n_classes, network.dim)
        trainer = Trainer(
            recipe, feed, network, losses, Optimisers(recipe, network, losses), accelerator=accelerator
        )
        bare = BareStep(recipe, network_of(recipe, start, feed.n_classes), feed, n_steps, accelerator.device)

        def ours() -> None:
            trainer.run_epoch(0)

        ours()
        bare.run()
        ours_s, theirs_s = take_turns(ours, bare.run, rounds)
    name = f"training, {extractor}, {n_steps} x {recipe.batches.size} images of 224 px"
    return Ratio(name, ours_s, theirs_s, ">= 0.85", "of the bare step's rate")


class _FewBatches(DecodedFeed):
    """The first batches of an epoch."""

    def __init__(self, decoded: Decoded, branch: BranchSpec, recipe: NetworkRecipe, n_batches: int) -> None:
        super().__init__(decoded, branch, recipe)
        self.n_batches = n_batches

    def batches(self, epoch: int) -> list:
        return super().batches(epoch)[: self.n_batches]


def network_of(recipe: NetworkRecipe, start: Start, n_classes: int) -> TrainedNetwork:
    tensors = read_checkpoint(start.weights.path, allow_pickle=start.weights.pinned)
    return start_network(recipe, start.branch, tensors, n_classes, source=str(start.weights.path))


class BareStep:
    """Forward, loss, backward, step: as often as the loop, on tensors that are there."""

    def __init__(
        self,
        recipe: NetworkRecipe,
        network: TrainedNetwork,
        feed: DecodedFeed,
        n_steps: int,
        device: torch.device,
    ) -> None:
        self.n_steps = n_steps
        batch = feed.batches(0)[0]
        self.network = network.to(device).train()
        self.losses = WeightedLosses(recipe.losses, feed.n_classes, network.dim).to(device)
        self.optimisers = Optimisers(recipe, network, self.losses)
        self.pixels = feed.images(batch, 0).to(device)
        self.labels = torch.from_numpy(feed.codes[batch]).to(device)

    def run(self) -> None:
        for _ in range(self.n_steps):
            embeddings, logits = self.network(self.pixels)
            self.losses.total(self.losses(embeddings, logits, self.labels)).backward()
            self.optimisers.step()
        if self.pixels.device.type == "cuda":
            torch.cuda.synchronize()
