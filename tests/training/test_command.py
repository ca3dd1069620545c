from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest

from cbir.extractors.build import load_extractor
from cbir.training.embedding import embed_files
from cbir.training.material import read_material
from cbir.training.run.measuring import measure
from cbir.training.run.tables import table_of_test


@pytest.fixture
def made(make_items):
    return make_items(n_groups=8, n_images=2)


def train(run, recipe, items, *more, expect=0, output="x"):
    return run(
        "train",
        recipe,
        "--items",
        items,
        "-o",
        output,
        "--device",
        "cpu",
        "--workers",
        2,
        *more,
        expect=expect,
    )


def test_a_training_leaves_an_extractor_and_says_what_it_is_worth(run, tiny_recipe, made, tmp_path):
    done = train(run, tiny_recipe, made)
    folder = tmp_path / "x"
    assert "epoch 3/3" in done.stderr
    assert "images: 48 used, 0 skipped" in done.stderr
    names = {each.name for each in folder.iterdir()}
    assert names >= {
        *(
            "extractor.toml",
            "recipe.toml",
            "split.csv",
            "history.jsonl",
            "curves.svg",
            "card.json",
            "card.md",
        ),
        *("weights", "events", "checkpoints"),
    }
    card = json.loads((folder / "card.json").read_text())
    extractor = load_extractor(folder, offline=True)
    assert card["extractor"]["fingerprint"] == extractor.fingerprint
    assert card["use"] == "Research use only, not for diagnosis."
    assert card["start"][0]["name"] == "seeded random numbers"
    assert [part["images"] for part in card["data"]["parts"]] == [24, 8, 16] or sum(
        part["images"] for part in card["data"]["parts"]
    ) == 48
    assert len(card["data"]["hash"]) == len(card["data"]["split_hash"]) == 64
    against = card["test"]["against_start"]
    assert against["difference"] == pytest.approx(against["value"] - against["start"])
    assert card["test"]["measures"]["precision"]["macro"]["random"] is not None
    text = (folder / "card.md").read_text()
    assert "Research use only" in text
    assert "What is not claimed" in text
    rows = list(csv.DictReader((folder / "split.csv").read_text().splitlines()))
    assert {row["split"] for row in rows} == {"train", "val", "test"}
    assert len(rows) == 48

    built = run(
        "index", "build", made.parent, "--labels", made, "-o", "x.index", "--extractor", "x", expect=3
    )
    assert "48" in built.stderr
    info = json.loads(run("index", "info", "-i", "x.index", "--json").stdout)
    assert extractor.fingerprint in json.dumps(info)


def test_every_test_image_is_told_with_what_it_was_worth_before_and_after(
    run, tiny_recipe, made, tmp_path, tiny_model
):
    for number, (recipe, start) in enumerate(
        ((tiny_recipe, ()), ("linear", ("--start", tiny_model / "tiny.toml")))
    ):
        train(run, recipe, made, *start, "--seed", 1, output=str(number))
        folder = tmp_path / str(number)
        rows = list(csv.DictReader((folder / "test.csv").read_text().splitlines()))
        split = list(csv.DictReader((folder / "split.csv").read_text().splitlines()))
        assert [[row["path"], row["label"], row["group"]] for row in rows] == [
            [row["path"], row["label"], row["group"]] for row in split if row["split"] == "test"
        ]
        against = json.loads((folder / "card.json").read_text())["test"]["against_start"]
        for column, whose in (("precision_at_10", "value"), ("start_precision_at_10", "start")):
            by_class = {row["label"]: [] for row in rows}
            for row in rows:
                by_class[row["label"]].append(float(row[column]))
            assert against[whose] == pytest.approx(np.mean([np.mean(each) for each in by_class.values()]))


def test_an_image_that_nothing_could_answer_has_an_empty_cell(made):
    material = read_material(str(made), seed=1)
    kept = [
        row for row in range(len(material.images)) if material.parts[row] != "train" or material.codes[row]
    ]
    material = material.take(kept)
    vectors = np.eye(len(kept), 3, dtype=np.float32) + np.float32(0.1)
    measured = measure(material, vectors, vectors)
    rows = list(csv.DictReader(table_of_test(material, measured).splitlines()))
    assert len(rows) == len(material.rows("test"))
    assert {row["precision_at_10"] == "" for row in rows if row["label"] == material.classes[0]} == {True}
    assert all(row["precision_at_10"] for row in rows if row["label"] != material.classes[0])


def test_an_interrupted_run_keeps_its_best_and_goes_on_to_the_same(
    run, tiny_recipe, made, tmp_path, monkeypatch
):
    train(run, tiny_recipe, made, output="whole")
    import cli.training as shown

    seen = []
    original = shown.TrainingDisplay.epoch

    def stop(self, done, *, is_best):
        original(self, done, is_best=is_best)
        seen.append(done.epoch)
        if done.epoch == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shown.TrainingDisplay, "epoch", stop)
        stopped = train(run, tiny_recipe, made, expect=130)
    assert "keeps the best so far; go on with --resume" in stopped.stderr
    load_extractor(tmp_path / "x", offline=True)
    assert not (tmp_path / "x" / "card.json").exists()
    refused = train(run, tiny_recipe, made, expect=1)
    assert "go on with --resume" in refused.stderr
    train(run, tiny_recipe, made, "--resume")
    paths = [str(made.parent / row["path"]) for row in csv.DictReader(made.read_text().splitlines())][:6]
    first, second = (
        embed_files(load_extractor(tmp_path / name, offline=True), paths).vectors for name in ("whole", "x")
    )
    assert abs(first - second).max() < 1e-6
    assert (tmp_path / "x" / "history.jsonl").read_text().count("\n") == 3


def test_a_run_of_something_else_is_not_gone_on_with(run, tiny_recipe, made):
    train(run, tiny_recipe, made, "--epochs", 1)
    other = train(run, tiny_recipe, made, "--epochs", 2, "--resume", expect=1)
    assert "begun with other settings" in other.stderr
    seed = train(run, tiny_recipe, made, "--epochs", 1, "--seed", 3, "--resume", expect=1)
    assert seed.stderr.count("error:") == 1


def test_a_file_that_is_no_image_is_skipped_and_told(run, tiny_recipe, made, tmp_path):
    (made.parent / "stripes0-0.png").write_bytes(b"no image")
    done = train(run, tiny_recipe, made, "--epochs", 1, expect=3)
    assert "47 used, 1 skipped (not_an_image 1)" in done.stderr
    (line,) = (tmp_path / "x" / "skipped.jsonl").read_text().splitlines()
    assert json.loads(line)["path"].endswith("stripes0-0.png")


def rewritten(made, tmp_path, change):
    folder = shutil.copytree(made.parent, tmp_path / "changed")
    rows = list(csv.reader((folder / "items.csv").read_text().splitlines()))
    with (folder / "items.csv").open("w", newline="") as file:
        csv.writer(file).writerows(change(rows))
    return folder / "items.csv"


BAD = {
    "no label": (lambda rows: [[r[0], "" if i else r[1], *r[2:]] for i, r in enumerate(rows)], "has a label"),
    "one class": (
        lambda rows: [[r[0], "all" if i else r[1], *r[2:]] for i, r in enumerate(rows)],
        "two classes or more",
    ),
    "one patient": (
        lambda rows: [[r[0], r[1], r[1] if i else r[2], *r[3:]] for i, r in enumerate(rows)],
        "",
    ),
    "no group": (
        lambda rows: [[r[0], r[1], "" if i else r[2], *r[3:]] for i, r in enumerate(rows)],
        "no group",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_images_that_nothing_can_be_learned_from_are_refused_before_the_first_step(
    run, tiny_recipe, made, tmp_path, name
):
    change, words = BAD[name]
    done = train(run, tiny_recipe, rewritten(made, tmp_path, change), expect=1)
    assert words in done.stderr
    assert done.stderr.count("error:") == 1
    assert not (tmp_path / "x").exists()


def test_too_few_images_for_a_batch(run, tiny_recipe, make_items, tmp_path):
    done = train(run, tiny_recipe, make_items(n_groups=5, n_images=1), "--batch", 48, expect=1)
    assert "a batch takes 12 classes" in done.stderr
    assert not (tmp_path / "x").exists()


def test_a_column_recipe_or_file_that_is_not_there(run, tiny_recipe, made):
    assert "no column" in train(run, tiny_recipe, made, "--label", "nothing", expect=1).stderr
    assert "no column" in train(run, tiny_recipe, made, "--split", "nothing", expect=2).stderr
    assert "is no recipe" in train(run, "nothing", made, expect=2).stderr
    assert train(run, tiny_recipe, "nothing.csv", expect=1).stderr.count("error:") == 1
    assert "--items FILE" in run("train", tiny_recipe, expect=2).stderr


def test_the_recipes_are_listed(run):
    assert "metric-learning" in run("train", "--list").stdout


def test_a_full_disk_is_one_line(run, tiny_recipe, made, tmp_path, monkeypatch):
    import errno

    from cbir import durable

    def full(fresh, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable, "put_in_place", full)
    done = train(run, tiny_recipe, made, expect=1)
    assert "begun.json: No space left on device" in done.stderr


def test_a_light_head_is_an_extractor_too(run, made, tmp_path, tiny_model):
    done = train(run, "linear", made, "--start", tiny_model / "tiny.toml", expect=0)
    assert "images: 48 used, 0 skipped" in done.stderr
    extractor = load_extractor(tmp_path / "x", offline=True)
    card = json.loads((tmp_path / "x" / "card.json").read_text())
    assert card["extractor"]["fingerprint"] == extractor.fingerprint
    assert extractor.projection is not None
    assert card["chosen"]["macro P@10"] > card["chosen"]["random"] == pytest.approx(1 / 3)
    paths = [str(path) for path in sorted(made.parent.glob("*.png"))[:3]]
    assert embed_files(extractor, paths).vectors.shape == (3, extractor.dim)


@pytest.mark.soak
def test_linear_on_real_mammograms_from_items_to_evaluation_in_five_minutes(
    run, mini_mias, weights_folder, tmp_path
):
    import time

    began = time.monotonic()
    page = (tmp_path / "d121.toml").absolute()
    from cbir.extractors.preset import PRESETS

    text = PRESETS["densenet121"].read_text()
    weights = weights_folder / "densenet121.fp16.safetensors"
    page.write_text(text.replace("hub:timm/densenet121.tv_in1k", f"file:{weights}"))
    run("items", "split", mini_mias / "labels.csv", "-o", "split.csv", "--label", "density")
    columns = ("--label", "density", "--group", "patient_id")
    run("train", "linear", "--items", "split.csv", *columns, "--start", page, "-o", "x", "--device", "cpu")
    run("index", "build", "split.csv", *columns, "-o", "x.index", "--extractor", "x")
    words = ("--queries", "split=test", "--gallery", "split=train", "--json")
    found = json.loads(run("evaluate", "-i", "x.index", *words).stdout)
    card = json.loads((tmp_path / "x" / "card.json").read_text())
    macro = found["measures"]["precision"]["macro"]["value"]
    assert macro == pytest.approx(card["test"]["measures"]["precision"]["macro"]["value"], abs=0.01)
    assert macro > found["measures"]["precision"]["macro"]["random"]
    assert time.monotonic() - began < 300
