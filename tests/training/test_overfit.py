"""Real images: a network that is trained on them knows them."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from feeds import MemoryFeed

from cbir.evaluation.protocol import rank_queries
from cbir.training.loop.epochs import LoopSettings, train_network
from cbir.training.loop.network import start_network
from cbir.training.recipe import Batches, Optimiser

SIDE_PX, N_IMAGES = 64, 32


def mammograms(mini_mias: Path) -> MemoryFeed:
    """The first of mini-MIAS by tissue, validated with copies of themselves as of other patients."""
    with (mini_mias / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:N_IMAGES]
    images = [cv2.imread(str(mini_mias / row["path"]), cv2.IMREAD_GRAYSCALE) for row in rows]
    small = [cv2.resize(image, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA) for image in images]
    grey = torch.from_numpy(np.stack(small * 2)).float().div(127.5).sub(1)
    codes = np.unique([row["density"] for row in rows] * 2, return_inverse=True)[1]
    patients = [row["patient_id"] for row in rows]
    return MemoryFeed(
        pixels=grey[:, None].expand(-1, 3, -1, -1),
        codes=codes.astype(np.int64),
        groups=[*patients, *(f"copy of {patient}" for patient in patients)],
        train=np.arange(N_IMAGES),
        validation=np.arange(N_IMAGES, 2 * N_IMAGES),
        size=16,
    )


def precision_at_1(feed: MemoryFeed, embedder: torch.nn.Module) -> float:
    """Of the training part, each query's patient left out."""
    with torch.inference_mode():
        rows = torch.nn.functional.normalize(embedder(feed.validation_images(feed.train)), dim=1).numpy()
    items = [feed.items[place] for place in feed.train]
    places = {item.id: place for place, item in enumerate(items)}

    def search(query_ids: list[str], depth: int) -> list[list[str]]:
        orders = [np.argsort(-rows @ rows[places[each]], kind="stable")[:depth] for each in query_ids]
        return [[items[place].id for place in order] for order in orders]

    rankings = rank_queries(items, search, 1).rankings
    return float(np.mean([ranking.relevance[0] for ranking in rankings]))


def test_32_mammograms_are_known_by_heart(recipe, small_branch, small_tensors, mini_mias, tmp_path):
    feed = mammograms(mini_mias)
    learn = replace(
        recipe,
        epochs=24,
        patience=24,
        batches=Batches(16),
        optimiser=Optimiser(old_rate=5e-3, new_rate=5e-3, weight_decay=1e-4, clip=1.0),
    )
    network = start_network(learn, small_branch, small_tensors, feed.n_classes, source="a test")
    before = precision_at_1(feed, network.embedder)
    train_network(learn, feed, network, tmp_path, settings=LoopSettings(device="cpu"))
    assert before < 0.8
    assert precision_at_1(feed, network.embedder) == 1.0
