"""`cbir classify train`, end to end: the run, interruptions, bad input."""

from __future__ import annotations

import csv
import errno
import json
import shutil

import numpy as np
import pytest
import torch
from classify_command import cbir
from safetensors.torch import load_file

import cli.training as shown
from cbir import durable
from cbir.training.loop.trainer import Trainer
from cbir.training.material import read_material
from classifiers.classifier import open_classifier
from classifiers.folder import read_spec
from classifiers.predicting import classify_files
from classifiers.predictions import read_predictions
from classifiers.recipe import RECIPES

NAMES = (
    *("classifier.json", "network.onnx", "weights.safetensors", "recipe.toml", "split.csv", "history.jsonl"),
    *("curves.svg", "card.json", "card.md", "validation.csv", "test.csv", "checkpoints"),
)
LBP = """
[[branch]]
backbone = "handcrafted:lbp"
dim = 54
preprocess = [
    { step = "resize", height_px = 64, width_px = 64, fit = "stretch", interpolation = "area" },
    { step = "grey" },
]
"""


def test_a_training_leaves_a_classifier_and_says_what_it_is_worth(whole):
    folder, said = whole
    assert "epoch 4/4" in said
    assert "stage 2, macro F1" in said
    assert "the rarer classes repeated in train" in said
    assert "images: 48 used, 0 skipped" in said
    assert {each.name for each in folder.iterdir()} >= set(NAMES)
    spec, card = read_spec(folder), json.loads((folder / "card.json").read_text())
    assert card["classifier"]["fingerprint"] == spec.fingerprint
    assert card["use"] == "Research use only, not for diagnosis."
    assert card["chosen"]["temperature"] == spec.temperature != 1.0
    assert card["test"]["measures"]["macro_f1"]["random"] is not None
    assert spec.classes == ("blobs", "checks", "stripes")
    assert spec.preprocess[0].name == "clahe"
    text = (folder / "card.md").read_text()
    assert "Research use only" in text
    assert "of equals the lowest loss" in text


def test_the_tables_are_what_the_classifier_says_of_validation_and_test(whole):
    folder, _ = whole
    with (folder / "split.csv").open(newline="") as file:
        split = {row["path"]: row["split"] for row in csv.DictReader(file)}
    for name, part in (("validation.csv", "val"), ("test.csv", "test")):
        table = read_predictions(folder / name)
        assert sorted(table.paths) == sorted(path for path, each in split.items() if each == part)
        assert set(table.splits) == {part}
    again = classify_files(open_classifier(folder), list(table.paths))
    assert abs(again.posteriors - table.posteriors).max() < 1e-5


def test_an_interrupted_run_goes_on_to_the_same(whole, train, items, tmp_path, monkeypatch):
    recipe, folder = whole[0] / "recipe.toml", tmp_path / "x"
    original = shown.TrainingDisplay.epoch

    def stop(self, done, *, is_best):
        original(self, done, is_best=is_best)
        if done.epoch == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shown.TrainingDisplay, "epoch", stop)
        stopped = train(recipe, items, folder, expect=130)
    assert "keeps the best so far; go on with --resume" in stopped.stderr
    assert (folder / "checkpoints" / "best.safetensors").is_file()
    assert not (folder / "classifier.json").exists()
    assert "go on with --resume" in train(recipe, items, folder, expect=1).stderr
    other = train(recipe, items, folder, "--epochs", 1, "--resume", expect=1)
    assert "begun with other settings" in other.stderr
    train(recipe, items, folder, "--resume")
    first, second = (load_file(each / "weights.safetensors") for each in (whole[0], folder))
    torch.testing.assert_close(first, second, rtol=0, atol=1e-6)
    tables = [read_predictions(each / "test.csv").posteriors for each in (whole[0], folder)]
    np.testing.assert_allclose(*tables, atol=1e-6)
    assert (folder / "history.jsonl").read_text().count("\n") == 4
    assert "is finished" in train(recipe, items, folder, "--resume").stderr


def test_a_run_begins_where_another_ended_with_classes_of_its_own(whole, train, page, items, tmp_path):
    two = changed(items, tmp_path, lambda row: row | {"label": "0" if row["grade"] == "0" else "1"})
    done = train(page(), two, tmp_path / "x", "--start", whole[0], "--epochs", 1)
    assert "start    tiny, from tiny" in done.stderr
    one, other = (load_file(each / "weights.safetensors") for each in (whole[0], tmp_path / "x"))
    assert one["classifier.weight"].shape[0] == 3
    assert other["classifier.weight"].shape[0] == 2
    assert one.keys() == other.keys()
    spec = read_spec(tmp_path / "x")
    assert [each.name for each in spec.preprocess].count("clahe") == 1
    assert spec.is_ordinal


def test_descriptors_are_learned_from_beside_the_network(train, page, items, tmp_path, tiny_model):
    both = (tiny_model / "tiny.toml").read_text() + LBP
    both = both.replace('name = "tiny"', 'name = "both"\n\n[fusion]\nmethod = "l2"\nweights = [1.0, 1.0]', 1)
    shutil.copy(tiny_model / "random.safetensors", tmp_path)
    (tmp_path / "both.toml").write_text(both)
    there = changed(items, tmp_path, dict)
    (there.parent / "stripes0-0.png").write_bytes(b"no image")
    recipe = page(network="hybrid-fusion", start=tmp_path / "both.toml")
    done = train(recipe, there, tmp_path / "x", "--epochs", 1, expect=3)
    tensors = load_file(tmp_path / "x" / "weights.safetensors")
    assert tensors["head.mean"].shape == (54,)
    assert tensors["head.mean"].abs().max() > 0
    assert "47 used, 1 skipped (not_an_image 1)" in done.stderr
    (line,) = (tmp_path / "x" / "skipped.jsonl").read_text().splitlines()
    assert json.loads(line)["path"].endswith("stripes0-0.png")


def changed(items, tmp_path, change):
    folder = shutil.copytree(items.parent, tmp_path / "changed")
    rows = [change(row) for row in csv.DictReader(items.read_text().splitlines())]
    with (folder / "items.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return folder / "items.csv"


BAD = {
    "no label": (lambda row: row | {"label": ""}, "has a label"),
    "one class": (lambda row: row | {"label": "all"}, "two classes or more"),
    "no group": (lambda row: row | {"patient_id": ""}, "no group"),
}


@pytest.mark.parametrize("name", BAD)
def test_images_that_nothing_can_be_learned_from_are_one_line(name, train, page, items, tmp_path):
    change, words = BAD[name]
    done = train(page(), changed(items, tmp_path, change), tmp_path / "x", expect=1)
    assert words in done.stderr
    assert done.stderr.count("error:") == 1
    assert not (tmp_path / "x").exists()


def test_a_class_without_a_validation_image_is_refused(train, page, items, tmp_path):
    parts = read_material(str(items))
    part = {image.path: each for image, each in zip(parts.images, parts.parts, strict=True)}

    def without(row):
        each = part[str(items.parent / row["path"])]
        return row | {"split": "" if each == "val" and row["label"] == "checks" else each}

    done = train(page(), changed(items, tmp_path, without), tmp_path / "x", expect=1)
    assert "images in val is 'checks'" in done.stderr
    assert done.stderr.count("error:") == 1
    assert not (tmp_path / "x").exists()


def test_a_loss_of_distances_takes_grades(train, page, items, tmp_path):
    done = train(page(loss="distance_aware"), items, tmp_path / "x", expect=1)
    assert (
        "takes grades, whole numbers, for its loss distance_aware, and the labels are 'blobs'" in done.stderr
    )
    assert not (tmp_path / "x").exists()


def test_a_stain_normalisation_of_grey_images_leaves_nothing_to_learn_from(
    train, items, tmp_path, tiny_model
):
    done = train("se-densenet", items, tmp_path / "x", "--start", tiny_model / "tiny.toml", expect=1)
    assert done.stderr.count("error:") == 1
    assert "none of 48 images can be prepared" in done.stderr
    assert "macenko" in done.stderr


def test_a_full_disk_is_one_line(train, page, items, tmp_path, monkeypatch):
    def full(fresh, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable, "put_in_place", full)
    assert "begun.json: No space left on device" in train(page(), items, tmp_path / "x", expect=1).stderr


def test_memory_that_runs_out_names_what_to_lower(train, page, items, tmp_path, monkeypatch):
    def out_of_memory(*_):
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(Trainer, "run_epoch", out_of_memory)
    done = train(page(), items, tmp_path / "x", expect=1)
    assert "Out of memory on cpu in epoch 1. Lower batches.size = 12" in done.stderr


def test_what_must_be_named(train, items, tmp_path):
    assert "dal-hybrid" in cbir("classify", "train", "--list").stdout
    assert "--items FILE" in cbir("classify", "train", "dal-hybrid", expect=2).stderr
    assert "is no recipe" in train("dal", items, tmp_path / "x", expect=2).stderr


def test_real_mammograms_with_real_weights(train, mini_mias, tmp_path):
    """Lite0 at 96 px on 40 images, through both stages: the shape of a training, and no result."""
    with (mini_mias / "labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["density"]][:40]
    with (tmp_path / "items.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "group"])
        writer.writerows([mini_mias / row["path"], row["density_ordinal"], row["patient_id"]] for row in rows)
    recipe = tmp_path / "small.toml"
    recipe.write_text(RECIPES["dal-hybrid"].read_text().replace("side_px = 224", "side_px = 96"))
    folder = tmp_path / "x"
    done = train(recipe, tmp_path / "items.csv", folder, "--start", "quick", "--epochs", 1, "--offline")
    card = json.loads((folder / "card.json").read_text())
    assert card["classifier"]["ordinal"] is True
    assert card["test"]["measures"]["quadratic_kappa"]["interval"] is not None
    assert "Research use only" in done.stderr
    assert "macro_f1" in cbir("classify", "evaluate", folder, "--json").stdout
