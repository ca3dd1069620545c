"""Stages: what learns, how fast, from where, until when; interrupted and gone on with."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from feeds import drawn_feed

from cbir.errors import TrainingError
from cbir.training.loop.checkpoint import BEST, LAST, read_checkpoint
from cbir.training.loop.epochs import LoopSettings
from classifiers.recipe import Stage
from classifiers.training import stages as stages_module
from classifiers.training.history import EpochDone, best_of, is_over, of_stage
from classifiers.training.optimise import StageOptimiser, rate_of
from classifiers.training.stages import train_stages

CPU = LoopSettings(device="cpu")
FROZEN = Stage("new", "adam", 1e-2, 2)


def done(epoch: int, f1: float, loss: float = 1.0, stage: int = 1) -> EpochDone:
    return EpochDone(epoch, stage, epoch, 1.0, 0.1, loss, f1, f1, 0.2, 1.0, 1.0, 1.0)


def test_the_best_epoch_has_the_highest_macro_f1_then_the_lowest_loss_then_comes_first():
    assert best_of([]) is None
    history = [done(1, 0.5), done(2, 0.6, 0.9), done(3, 0.6, 0.8), done(4, 0.6, 0.8)]
    assert best_of(history) is history[2]


def test_a_stage_is_over_after_its_epochs_or_its_patience():
    stage = Stage("all", "sgd", 0.1, 5, patience=2)
    assert not is_over(stage, [])
    assert not is_over(stage, [done(3, 0.5), done(4, 0.4)])
    assert is_over(stage, [done(3, 0.5), done(4, 0.4), done(5, 0.4)])
    assert not is_over(replace(stage, patience=None), [done(3, 0.5), done(4, 0.4), done(5, 0.4)])
    assert is_over(replace(stage, patience=None), [done(each, 0.5) for each in range(5)])


@pytest.mark.parametrize("patience", [0, 1, 2])
def test_the_rate_on_a_plateau_is_torchs(patience):
    losses = [1.0, 0.9, 0.95, 0.9, 0.91, 0.92, 0.8999, 0.89, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]
    stage = Stage("all", "sgd", 0.1, 99, schedule="plateau", factor=0.5, plateau=patience)
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.5, patience=patience)
    for n, loss in enumerate(losses, start=1):
        scheduler.step(loss)
        assert rate_of(stage, n, losses[:n]) == pytest.approx(optimiser.param_groups[0]["lr"])


def test_the_rate_on_a_cosine_counts_from_the_stages_beginning():
    parameter = torch.nn.Parameter(torch.zeros(1))
    stage = Stage("all", "adamw", 0.1, 4, schedule="cosine")
    optimiser = StageOptimiser(stage, [parameter], first=3)
    assert [optimiser.set_rates(each)[0] for each in (3, 5, 7)] == pytest.approx([0.1, 0.05, 0.0])


def test_a_frozen_backbone_keeps_its_weights_and_running_statistics(recipe, network, tmp_path):
    trained = network()
    before = {name: each.clone() for name, each in trained.backbones.state_dict().items()}
    assert any("running_mean" in name for name in before)
    train_stages(replace(recipe, stages=(FROZEN,)), drawn_feed(), trained, tmp_path, settings=CPU)
    after = trained.backbones.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not torch.equal(trained.classifier.weight, network().classifier.weight)


def test_the_next_stage_learns_more_with_an_optimiser_of_its_own(recipe, network, tmp_path, monkeypatch):
    made = []

    class Watched(StageOptimiser):
        def __init__(self, stage, learning, **rest):
            super().__init__(stage, learning, **rest)
            made.append((stage.optimiser, len(learning), rest["first"], self.tensors()))

    monkeypatch.setattr(stages_module, "StageOptimiser", Watched)
    trained = network()
    name, first = next(iter(trained.backbones.named_parameters()))
    before = first.detach().clone()
    found = train_stages(recipe, drawn_feed(), trained, tmp_path, settings=CPU)
    n_new = len(trained.stage_parameters("new"))
    assert made == [("adam", n_new, 0, {}), ("sgd", len(list(trained.parameters())), 2, {})]
    assert [each.stage for each in found.history] == [1, 1, 2, 2, 2]
    last = read_checkpoint(tmp_path / LAST, recipe, drawn_feed().sha256, EpochDone.from_dict)
    assert not torch.equal(last.part("network.network.backbones")[name], before)


def test_a_stage_begins_with_the_best_weights_so_far(recipe, network, tmp_path, monkeypatch):
    """The first epoch of the first stage is made the best; the last stage learns nothing to speak of."""
    scores = iter([0.9, 0.1, 0.2])
    validate = stages_module.validate
    monkeypatch.setattr(
        stages_module, "validate", lambda *each: replace(validate(*each), macro_f1=next(scores))
    )
    kept = {}

    def on_epoch(each):
        if each.epoch == 1:
            kept.update({name: tensor.clone() for name, tensor in trained.state_dict().items()})

    trained = network()
    both = replace(recipe, stages=(FROZEN, Stage("new", "sgd", 1e-30, 1, momentum=0.0)))
    found = train_stages(
        both,
        drawn_feed(),
        trained,
        tmp_path,
        settings=CPU,
        on_epoch=on_epoch,
    )
    assert found.best.epoch == 1
    torch.testing.assert_close(trained.state_dict(), kept, rtol=0, atol=0)
    last = read_checkpoint(tmp_path / LAST, both, drawn_feed().sha256, EpochDone.from_dict)
    torch.testing.assert_close(last.part("network.network"), kept, rtol=0, atol=1e-12)


def assert_same(one, other) -> None:
    torch.testing.assert_close(one[1].state_dict(), other[1].state_dict(), rtol=0, atol=1e-6)
    for mine, theirs in zip(one[0].history, other[0].history, strict=True):
        assert mine.validation_loss == pytest.approx(theirs.validation_loss, abs=1e-6)
        assert (mine.epoch, mine.stage, mine.step, mine.rate) == (
            theirs.epoch,
            theirs.stage,
            theirs.step,
            theirs.rate,
        )


@pytest.fixture(scope="module")
def whole(recipe, tmp_path_factory):
    from cbir.training.recipe import Named
    from classifiers.networks.create import create_network

    made = create_network(Named("dal-hybrid"), ["timm:test_resnet"], 3, (3, 32, 32))
    folder = tmp_path_factory.mktemp("whole")
    return train_stages(recipe, drawn_feed(), made, folder, settings=CPU), made


@pytest.mark.parametrize("epoch", [1, 2, 3, 4])
def test_an_interrupted_training_goes_on_to_the_same_numbers(epoch, recipe, network, whole, tmp_path):
    """In the first stage, at its end, and within the second."""

    def stop(each):
        if each.epoch == epoch:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_stages(recipe, drawn_feed(), network(), tmp_path, settings=CPU, on_epoch=stop)
    assert (tmp_path / BEST).is_file()
    again, epochs = network(), []
    found = train_stages(
        recipe,
        drawn_feed(),
        again,
        tmp_path,
        settings=CPU,
        on_epoch=lambda each: epochs.append(each.epoch),
        resumes=True,
    )
    assert epochs == list(range(epoch + 1, 6))
    assert_same((found, again), whole)


def test_a_checkpoint_of_another_recipe_is_refused(recipe, network, tmp_path):
    short = replace(recipe, stages=(FROZEN,))
    train_stages(short, drawn_feed(), network(), tmp_path, settings=CPU)
    with pytest.raises(TrainingError, match="of another recipe: its seed is 0, this one's 1"):
        train_stages(replace(short, seed=1), drawn_feed(), network(), tmp_path, settings=CPU, resumes=True)


def test_a_loss_that_is_no_number_names_the_rates(recipe, network, tmp_path):
    feed = drawn_feed()
    feed.pixels[feed.batches(0)[0]] = torch.nan
    with pytest.raises(TrainingError, match=r"the loss is nan \(cross_entropy\).*stage.rate = 0.01 or 0.01"):
        train_stages(recipe, feed, network(), tmp_path, settings=CPU)


def test_the_history_is_plain_and_comes_back():
    each = done(2, 0.5)
    assert EpochDone.from_dict(each.to_dict()) == each
    assert of_stage([done(1, 0.1), done(2, 0.1, stage=2)], 2) == (done(2, 0.1, stage=2),)
