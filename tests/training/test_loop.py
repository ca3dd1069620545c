"""The loop: what it learns, what it writes down, when it stops, and what it says when it can't go on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from feeds import drawn_feed

from cbir.errors import SpecError, TrainingError
from cbir.extractors.backbone import build_backbone
from cbir.training.loop.checkpoint import BEST, LAST
from cbir.training.loop.epochs import LoopSettings, train_network
from cbir.training.loop.history import EpochDone, best_of
from cbir.training.loop.network import trained_branch
from cbir.training.loop.troubles import memory_named
from cbir.training.recipe import Batches, Optimiser

CPU = LoopSettings(device="cpu")


def epoch_of(number: int, precision: float) -> EpochDone:
    return EpochDone(number, 3, 1.0, {"centre": 1.0}, (0.1,), precision, 0.3, 1.0, 1.0, 1.0)


@pytest.fixture
def feed():
    return drawn_feed()


def test_a_training_finds_the_classes_and_leaves_the_best_weights(
    recipe, feed, small_network, small_branch, tmp_path
):
    trained = train_network(recipe, feed, small_network(recipe), tmp_path, settings=CPU)
    assert trained.best.precision > 0.8 > trained.best.random + 0.2
    assert trained.best == best_of(trained.history)
    assert [line.epoch for line in trained.history] == [1, 2, 3]
    embedder = build_backbone(trained_branch(recipe, small_branch), trained.weights, source="a test")
    with torch.inference_mode():
        rows = torch.nn.functional.normalize(embedder(feed.validation_images(feed.train)), dim=1).numpy()
    own = feed.codes[feed.train]
    scores = rows @ rows.T - 2 * np.eye(len(rows))
    assert (own[scores.argmax(axis=1)] == own).mean() > 0.8


def test_an_epoch_is_written_down_with_its_terms_rates_and_chance(recipe, feed, small_network, tmp_path):
    lines, steps = [], []
    settings = LoopSettings(device="cpu", on_step=steps.append, on_epoch=lines.append)
    trained = train_network(recipe, feed, small_network(recipe), tmp_path, settings=settings)
    assert tuple(lines) == trained.history
    assert [(each.epoch, each.step, each.n_steps) for each in steps[:4]] == [
        *((1, 1, 3), (1, 2, 3), (1, 3, 3)),
        (2, 1, 3),
    ]
    first = lines[0]
    weights = {term.name: term.weight for term in recipe.losses}
    assert first.loss == pytest.approx(sum(weights[name] * value for name, value in first.terms.items()))
    assert first.loss == pytest.approx(np.mean([each.loss for each in steps[:3]]))
    assert first.step == 3
    assert lines[2].step == 9
    assert first.rates[0] == pytest.approx(1e-3 * (1 + np.cos(np.pi * 2 / 9)) / 2)
    assert first.random == pytest.approx(1 / 3)
    assert first.images_per_s > 0
    assert EpochDone.from_dict(first.to_dict()) == first


def test_the_same_seed_gives_the_same_numbers_whatever_was_drawn_before(
    headed, feed, small_network, tmp_path
):
    short = replace(headed, epochs=1)
    found = []
    for number, seed in enumerate((0, 0, 1)):
        torch.manual_seed(number)
        (tmp_path / str(number)).mkdir()
        seeded = replace(short, seed=seed)
        trained = train_network(seeded, feed, small_network(seeded), tmp_path / str(number), settings=CPU)
        found.append(trained.weights)
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])
    assert any(not torch.equal(found[0][name], found[2][name]) for name in found[0])


def test_a_training_that_gets_no_better_ends_early(recipe, feed, small_network, tmp_path):
    still = replace(recipe, epochs=9, patience=2, optimiser=Optimiser(0.0, 1e-12, 0.0, 1.0))
    trained = train_network(still, feed, small_network(still), tmp_path, settings=CPU)
    assert trained.is_stopped
    assert len(trained.history) == 3
    assert trained.best.epoch == 1


def test_the_first_of_equal_epochs_is_the_best():
    history = tuple(epoch_of(number, value) for number, value in enumerate((0.4, 0.6, 0.5, 0.6), start=1))
    assert best_of(history).epoch == 2
    assert best_of(()) is None


def test_every_image_is_seen_but_a_lone_last_one(recipe, small_network, tmp_path):
    feed, seen = drawn_feed(n_train=27, n_validation=9), []
    feed.train = feed.train[:25]
    ask = feed.images
    feed.images = lambda indices, epoch: seen.append(len(indices)) or ask(indices, epoch)
    train_network(replace(recipe, epochs=1), feed, small_network(recipe), tmp_path, settings=CPU)
    assert seen == [8, 8, 8]


def test_images_are_got_by_one_thread_beside_steps_that_keep_theirs(recipe, feed, small_network, tmp_path):
    n_before, ask, seen = torch.get_num_threads(), feed.images, []
    feed.images = lambda indices, epoch: seen.append(torch.get_num_threads()) or ask(indices, epoch)
    torch.set_num_threads(2)
    try:
        train_network(replace(recipe, epochs=1), feed, small_network(recipe), tmp_path, settings=CPU)
        assert set(seen) == {1}
        with ThreadPoolExecutor(1) as other:
            assert torch.get_num_threads() == other.submit(torch.get_num_threads).result() == 2
    finally:
        torch.set_num_threads(n_before)


def test_a_loss_that_is_no_number_stops_with_one_line(recipe, feed, small_network, tmp_path):
    feed.pixels[feed.batches(1)[1][0]] = torch.nan
    feed.images = partial(_nan_later, feed.images)
    with pytest.raises(TrainingError, match=r"Epoch 2, step 2: the loss is nan \(") as caught:
        train_network(recipe, feed, small_network(recipe), tmp_path, settings=CPU)
    assert "Lower optimiser.new_rate = 0.01, old_rate = 0.001, or clip = 1" in str(caught.value)
    assert (tmp_path / LAST).is_file()
    assert (tmp_path / BEST).is_file()


def _nan_later(images, indices, epoch):
    pixels = images(indices, epoch)
    return pixels if epoch else torch.nan_to_num(pixels)


@pytest.mark.parametrize(
    "error",
    [MemoryError(), torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: no")],
)
def test_memory_that_runs_out_names_the_settings_to_lower(error, recipe):
    recipe = replace(recipe, batches=Batches(8, 4), side_px=128)
    with pytest.raises(TrainingError) as caught, memory_named(recipe, torch.device("cpu"), 2):
        raise error
    assert "Out of memory on cpu in epoch 2. Lower batches.size = 8" in str(caught.value)
    assert "per_class = 4" in str(caught.value)
    assert "side_px = 128" in str(caught.value)


def test_another_error_is_left_as_it_is(recipe):
    with pytest.raises(RuntimeError, match="something else"), memory_named(recipe, torch.device("cpu"), 1):
        raise RuntimeError("something else")


def test_an_error_of_the_feed_ends_the_training(recipe, feed, small_network, tmp_path):
    def images(indices, epoch):
        raise TrainingError("An image is gone.")

    feed.images = images
    with pytest.raises(TrainingError, match="An image is gone"):
        train_network(recipe, feed, small_network(recipe), tmp_path, settings=CPU)


def test_too_few_images_for_a_batch_are_refused(recipe, feed, small_network, tmp_path):
    feed.train = feed.train[:1]
    with pytest.raises(TrainingError, match="no batch of 2 images"):
        train_network(recipe, feed, small_network(recipe), tmp_path, settings=CPU)
    with pytest.raises(SpecError, match="size is 1"):
        Batches(1)
