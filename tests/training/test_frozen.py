"""Light heads on frozen extractors: what they learn, what they never see, and that nothing is done twice."""

from __future__ import annotations

import csv
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from cbir.errors import ItemsError, SpecError
from cbir.evaluation.protocol import rank_queries
from cbir.evaluation.summary import summarise
from cbir.extractors.fitting.whitening import whiten
from cbir.items.found import Found
from cbir.training.frozen import Features, HeadEpoch, features, join_extractors, train_frozen
from cbir.training.frozen.discriminant import fit_discriminant
from cbir.training.frozen.head import head_of
from cbir.training.frozen.mlp import Mlp, MlpSettings, fit_mlp, folded
from cbir.training.frozen.validation import validation_chance, validation_precision
from cbir.training.material import Material, read_material
from cbir.training.recipe import FrozenRecipe, Named, read_recipe
from cbir.types import Item

SMALL = MlpSettings(32, 8, 0.3, epochs=20, batch=64, rate=0.01, weight_decay=1e-4, label_smoothing=0.1)


@pytest.fixture(autouse=True)
def one_thread():
    """So little is no work for two, and on a busy machine they wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def quiet(_: HeadEpoch) -> None:
    pass


def made(n_groups: int = 72, dim: int = 40, n_classes: int = 3, seed: int = 0) -> tuple[Material, np.ndarray]:
    """Two images a patient; the class moves a few of the numbers, noise moves all of them."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(n_groups) % n_classes, 2)
    groups = tuple(f"p{row // 2:02}" for row in range(len(codes)))
    parts = tuple(("train", "train", "val", "test")[(row // 2) // n_classes % 4] for row in range(len(codes)))
    rows = rng.standard_normal((len(codes), dim)) + 2.0 * rng.standard_normal((n_classes, dim))[codes] * (
        np.arange(dim) < 4
    )
    images = tuple(Found(f"/none/{row}.png", str(code)) for row, code in enumerate(codes))
    classes = tuple(map(str, range(n_classes)))
    material = Material("items.csv", images, classes, codes, groups, parts, "0" * 64)
    return material, (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def relabelled(material: Material, part: str) -> Material:
    rows, codes = material.rows(part), material.codes.copy()
    codes[rows] = np.random.default_rng(1).permutation(codes[rows])
    assert (codes != material.codes).any()
    return replace(material, codes=codes)


def fitted(kind: str, material: Material, vectors: np.ndarray, seed: int = 0):
    if kind == "mlp":
        return fit_mlp(material, vectors, SMALL, seed=seed, tell=quiet)
    return fit_discriminant(material, vectors, tell=quiet)


@pytest.mark.parametrize("kind", ["discriminant", "mlp"])
def test_a_head_finds_what_tells_the_classes_apart(kind):
    material, vectors = made(n_groups=120)
    head = fitted(kind, material, vectors, seed=1)
    trained = head.projection.apply(vectors)
    trained /= np.linalg.norm(trained, axis=1, keepdims=True)
    before = validation_precision(material, vectors)
    assert head.precision == validation_precision(material, trained) > before + 0.03
    assert head.precision == max(each.precision for each in head.epochs)
    assert [each.number for each in head.epochs if each.is_best][-1] == 1 + int(
        np.argmax([each.precision for each in head.epochs])
    )


@pytest.mark.parametrize("kind", ["discriminant", "mlp"])
def test_the_labels_of_the_test_part_change_nothing(kind):
    material, vectors = made()
    heads = [fitted(kind, each, vectors) for each in (material, relabelled(material, "test"))]
    assert heads[0].projection.sha256 == heads[1].projection.sha256


@pytest.mark.parametrize("kind", ["discriminant", "mlp"])
def test_neither_do_its_images(kind):
    material, vectors = made()
    other = vectors.copy()
    other[material.rows("test")] = other[material.rows("test")][::-1]
    assert (
        fitted(kind, material, vectors).projection.sha256 == fitted(kind, material, other).projection.sha256
    )


def test_the_labels_of_the_training_part_do_change_the_head():
    material, vectors = made()
    other = relabelled(material, "train")
    for kind in ("discriminant", "mlp"):
        assert (
            fitted(kind, material, vectors).projection.sha256
            != fitted(kind, other, vectors).projection.sha256
        )


def test_one_seed_gives_one_head_and_leaves_torchs_numbers_alone():
    material, vectors = made()
    state = torch.random.get_rng_state()
    first, again, other = (fitted("mlp", material, vectors, seed) for seed in (1, 1, 2))
    assert first.projection.sha256 == again.projection.sha256 != other.projection.sha256
    assert first.epochs == again.epochs
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_folded_head_is_the_network_in_evaluation():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((50, 12)).astype(np.float32)
    model = Mlp(12, 3, SMALL)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    model.norm(torch.randn(64, SMALL.hidden) * 3 + 1)  # so that its statistics are not those it begins with
    model.eval()
    mean, inverse = vectors.mean(axis=0), 1 / vectors.std(axis=0)
    with torch.inference_mode():
        expected = model(torch.from_numpy((vectors - mean) * inverse)).numpy()
    np.testing.assert_allclose(folded(mean, inverse, model).apply(vectors), expected, rtol=1e-5, atol=1e-5)


def test_a_number_that_never_varies_in_training_says_nothing_later():
    material, vectors = made()
    vectors[:, 7] = 0.25
    head = fitted("mlp", material, vectors).projection
    other = vectors.copy()
    other[:, 7] = 0.5
    np.testing.assert_array_equal(head.apply(other), head.apply(vectors))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_discriminant_head_is_the_whitening_that_its_words_say(n_classes):
    material, vectors = made(n_classes=n_classes)
    head = fit_discriminant(material, vectors, tell=quiet)
    shrinkage, dim = (float(word) for word in head.chosen.replace(",", "").split() if word[0].isdigit())
    rows = material.rows("train")
    labels = [material.classes[code] for code in material.codes[rows]]
    expected = whiten(vectors[rows], dim=int(dim), shrinkage=shrinkage, labels=labels)
    assert head.projection.dim == dim >= 2
    np.testing.assert_allclose(head.projection.apply(vectors), expected.apply(vectors), atol=1e-5)


def test_a_discriminant_head_may_ask_the_rows_alone():
    material, vectors = made()
    head = fit_discriminant(material, vectors, by_validation=False, tell=quiet)
    assert head.chosen.startswith("shrinkage ledoit-wolf")


def test_too_few_rows_for_a_discriminant_are_said():
    material, vectors = made(n_groups=6)
    few = material.take(material.rows("train"))
    with pytest.raises(SpecError, match="takes more than 8"):
        fit_discriminant(few.take(range(8)), vectors[:8], tell=quiet)


def test_validation_is_what_the_protocol_measures():
    material, vectors = made()
    items = [
        Item(f"{row:03}", "", label=material.classes[code], group=group)
        for row, (code, group) in enumerate(zip(material.codes, material.groups, strict=True))
    ]
    gallery = material.rows("train")

    def search(ids, depth):
        order = [np.argsort(-(vectors[int(each)] @ vectors[gallery].T), kind="stable") for each in ids]
        return [[items[gallery[place]].id for place in found[:depth]] for found in order]

    study = rank_queries(
        [items[row] for row in material.rows("val")], search, 10, gallery=[items[row] for row in gallery]
    )
    row = summarise(study, ["precision"]).rows["precision"].macro
    assert validation_precision(material, vectors) == pytest.approx(row.value)
    assert validation_chance(material) == pytest.approx(row.random)


def test_an_unknown_head_and_setting_are_named():
    with pytest.raises(SpecError, match="unknown head 'lda'"):
        head_of(Named("lda"))
    with pytest.raises(SpecError, match="unknown setting 'drop'"):
        head_of(Named("mlp", {"drop": 0.3}))
    with pytest.raises(SpecError, match=r"head\.shrinkage is 'much'"):
        head_of(Named("discriminant", {"shrinkage": "much"}))


@pytest.mark.parametrize("name", ["linear", "handcrafted-fusion"])
def test_the_heads_of_the_recipes_are_there(name):
    recipe = read_recipe(name)
    assert isinstance(recipe, FrozenRecipe)
    head_of(recipe.head)


@pytest.fixture
def light(tiny_model) -> FrozenRecipe:
    page = str(tiny_model / "tiny.toml")
    return FrozenRecipe("light", (page, "handcrafted"), Named("discriminant"), sides_px=(32, 64))


def pictures(folder, n_groups: int = 16):
    rng = np.random.default_rng(0)
    rows = []
    for number in range(2 * n_groups):
        name, label = f"{number:02}.png", "striped" if number // 2 % 2 else "flat"
        image = rng.integers(0, 60, (48, 48)).astype(np.uint8)
        image[:: 4 if label == "striped" else 48] += 150
        cv2.imwrite(str(folder / name), image)
        rows.append((name, label, f"p{number // 2}"))
    with (folder / "items.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "patient_id"), *rows])
    return read_material(str(folder / "items.csv"))


def test_branches_stand_side_by_side_and_each_extractor_counts_the_same(light):
    joined = join_extractors(light)
    names = [branch.backbone for branch in joined.spec.branches]
    assert names == ["timm:test_resnet"] * 2 + ["handcrafted:gist", "handcrafted:hog", "handcrafted:lbp"]
    assert [branch.input_shape[1] for branch in joined.spec.branches[:2]] == [32, 64]
    weights = np.square(joined.spec.fusion.weights)
    assert weights[:2].sum() == pytest.approx(1) == pytest.approx(weights[2:].sum())
    assert joined.sources == ("file:random.safetensors",) * 2 + (None,) * 3


def test_extractors_that_look_in_other_ways_are_refused(light, tiny_model, tmp_path):
    page = (tiny_model / "tiny.toml").read_text().replace("file:", f"file:{tiny_model}/")
    (tmp_path / "five.toml").write_text(f'tta = "five"\n{page}')
    with pytest.raises(SpecError, match=r"five\.toml has tta"):
        join_extractors(replace(light, extractors=(light.extractors[0], str(tmp_path / "five.toml"))))


def test_images_are_embedded_once_whatever_is_trained_on_them(light, tmp_path, monkeypatch):
    light = replace(light, extractors=light.extractors[:1])
    material, joined = pictures(tmp_path), join_extractors(light)
    kept = Features(cache=tmp_path / "kept")
    (tmp_path / "00.png").write_bytes(b"no picture")
    first = train_frozen(material, light, joined, kept)
    assert [each.path for each in first.unread] == [str(tmp_path / "00.png")]
    assert len(first.material.images) == len(first.contents) == len(first.trained) == len(material.images) - 1
    assert first.head.precision > validation_chance(first.material)

    embedded: list[str] = []

    def watched(extractor, paths, *others, **named):
        embedded.extend(paths)
        return original(extractor, paths, *others, **named)

    original = features.embed_files
    monkeypatch.setattr(features, "embed_files", watched)
    one = next((tmp_path / "kept").rglob("*.npy"))
    one.write_bytes(b"cut off")
    again = train_frozen(first.material, light, joined, kept)
    assert len(embedded) == 1
    assert one.stem == again.contents[[image.path for image in first.material.images].index(embedded[0])]
    np.testing.assert_allclose(again.start, first.start, atol=1e-5)


def test_no_readable_image_is_one_line(light, tmp_path):
    material, joined = pictures(tmp_path), join_extractors(light)
    for image in tmp_path.glob("*.png"):
        image.write_bytes(b"no picture")
    with pytest.raises(ItemsError, match="none of 32 images can be read"):
        train_frozen(material, light, joined)
