"""A classifier in its folder: exported, opened without torch, asked."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cbir.errors import SpecError, VectorError, WeightsError
from cbir.images.decoding import Decoding
from cbir.training.recipe.entry import Named
from classifiers.classifier import Classifier, open_classifier, softmax
from classifiers.exported import export_classifier
from classifiers.folder import read_spec
from classifiers.networks.load import load_network, start_network
from classifiers.predicting import classify_files
from classifiers.start import find_start

PIXELS = np.random.default_rng(1).standard_normal((4, 3, 64, 64), dtype=np.float32)


def test_the_exported_network_answers_as_the_one_in_torch(tiny_classifier_run):
    answers = open_classifier(tiny_classifier_run).answer([PIXELS])
    with torch.inference_mode():
        logits, features, embeddings = load_network(tiny_classifier_run).answer(torch.from_numpy(PIXELS))
    np.testing.assert_allclose(answers.logits, logits, atol=1e-4)
    np.testing.assert_allclose(answers.features, features, atol=1e-4)
    np.testing.assert_allclose(answers.embeddings, embeddings, atol=1e-4)
    np.testing.assert_allclose(answers.posteriors, logits.softmax(dim=1), atol=1e-5)
    assert len({*answers.posteriors.argmax(axis=1)} | {*answers.posteriors[:, 0].round(6)}) > 2


@pytest.mark.parametrize("n", [1, 3])
def test_the_answer_is_the_same_in_any_batch(tiny_classifier_run, n):
    classifier = open_classifier(tiny_classifier_run)
    whole, part = classifier.answer([PIXELS]), classifier.answer([PIXELS[:n]])
    np.testing.assert_allclose(part.logits, whole.logits[:n], atol=1e-5)


@pytest.mark.parametrize(
    ("network", "backbones", "descriptors"),
    [
        ("dal-hybrid", ('timm:test_vit {"img_size": 64}',), ()),
        ("hybrid-fusion", ("timm:test_resnet", "timm:test_efficientnet"), ("lbp", "glcm")),
    ],
)
def test_other_networks_export_as_faithfully(make_classifier, tmp_path, network, backbones, descriptors):
    folder = make_classifier(tmp_path / "run", network=network, backbones=backbones, descriptors=descriptors)
    classifier = open_classifier(folder)
    grey = np.random.default_rng(2).integers(0, 256, (4, 1, 64, 64)).astype(np.float32)
    prepared = [PIXELS, *(grey for _ in descriptors)]
    answers = classifier.answer(prepared)
    described = None
    if descriptors:
        assert [plan[-1].name for plan in classifier.plans] == ["normalise", "grey", "grey"]
        networks = classifier._descriptors
        described = torch.from_numpy(np.concatenate([each(grey) for each in networks], axis=1))
    with torch.inference_mode():
        logits, *_ = load_network(folder)(torch.from_numpy(PIXELS), described)
    np.testing.assert_allclose(answers.logits, logits, atol=1e-3)


def test_posteriors_are_the_softmax_at_the_spec_s_temperature(tiny_classifier_run):
    classifier = open_classifier(tiny_classifier_run)
    warm = Classifier(replace(classifier.spec, temperature=2.5), classifier._model).answer([PIXELS])
    powers = np.exp(warm.logits.astype(float) / 2.5)
    np.testing.assert_allclose(warm.posteriors, powers / powers.sum(axis=1, keepdims=True), atol=1e-9)


def test_a_softmax_of_large_logits_is_finite():
    found = softmax(np.array([[1e4, 0.0], [-1e4, -1e4]], dtype=np.float32))
    np.testing.assert_allclose(found, [[1, 0], [0.5, 0.5]])


def test_pixels_of_another_shape_are_refused(tiny_classifier_run):
    with pytest.raises(VectorError, match=r"got pixels of shapes .*; it takes \[\(4, 3, 64, 64\)\]"):
        open_classifier(tiny_classifier_run).answer([PIXELS[..., :32]])
    with pytest.raises(VectorError, match="got pixels of shapes"):
        open_classifier(tiny_classifier_run).answer([])


def test_a_classifier_opens_and_answers_without_torch(tiny_classifier_run):
    code = (
        "import sys, numpy as np; from pathlib import Path; "
        "from classifiers.classifier import open_classifier; "
        f"opened = open_classifier(Path({str(tiny_classifier_run)!r})); "
        "opened.answer([np.zeros((1, 3, 64, 64), np.float32)]); "
        "print([m for m in ('torch', 'timm', 'scipy', 'cv2', 'pydicom') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("spoil", "error", "problem"),
    [
        (lambda folder: (folder / "classifier.json").unlink(), SpecError, "it has no classifier.json"),
        (lambda folder: (folder / "classifier.json").write_text("{"), SpecError, "can't be read"),
        (lambda folder: (folder / "classifier.json").write_text("[]"), SpecError, "must be a table"),
        (
            lambda folder: (folder / "network.onnx").unlink(),
            WeightsError,
            "is missing; copy",
        ),
        (lambda folder: (folder / "network.onnx").write_bytes(b"no"), WeightsError, "can't be opened"),
    ],
)
def test_a_spoilt_folder_is_refused_in_one_line(tiny_classifier_run, tmp_path, spoil, error, problem):
    folder = tmp_path / "run"
    shutil.copytree(tiny_classifier_run, folder)
    spoil(folder)
    with pytest.raises(error, match=problem) as caught:
        open_classifier(folder)
    assert "\n" not in str(caught.value)


def test_a_network_with_other_classes_than_the_spec_is_refused(tiny_classifier_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(tiny_classifier_run, folder)
    page = json.loads((folder / "classifier.json").read_text())
    (folder / "classifier.json").write_text(json.dumps(page | {"classes": ["a", "b"]}))
    with pytest.raises(SpecError, match="its network has 3 logits, its spec 2 classes"):
        open_classifier(folder)


def test_the_spec_is_written_last(tiny_classifier_run, tmp_path, monkeypatch):
    monkeypatch.setattr("classifiers.exported._TOLERANCE", -1.0)
    with pytest.raises(WeightsError, match="differ from the original's"):
        export_classifier(load_network(tiny_classifier_run), read_spec(tiny_classifier_run), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_exporting_leaves_the_network_as_it_was(tiny_classifier_run, tmp_path):
    network = load_network(tiny_classifier_run)
    network.let_learn("last")
    network.train()
    export_classifier(network, read_spec(tiny_classifier_run), tmp_path)
    assert network.head.training
    assert any(each.requires_grad for each in network.backbones.parameters())


def test_a_training_begins_where_a_run_ended_with_a_new_last_layer(tiny_classifier_run):
    start = find_start(Named("dal-hybrid"), tiny_classifier_run)
    trained = load_network(tiny_classifier_run).state_dict()
    same = start_network(start, Named("dal-hybrid"), ["F", "G", "D"], seed=5).state_dict()
    other = start_network(start, Named("dal-hybrid"), ["benign", "malignant"], seed=5).state_dict()
    assert all(torch.equal(trained[name], same[name]) for name in trained)
    assert other["classifier.weight"].shape[0] == 2
    assert all(torch.equal(trained[n], other[n]) for n in trained if not n.startswith("classifier."))


def test_a_run_of_another_network_or_with_changed_weights_is_no_start(tiny_classifier_run, tmp_path):
    with pytest.raises(SpecError, match=r"the recipe trains \{'name': 'se-densenet'\}"):
        find_start(Named("se-densenet"), tiny_classifier_run)
    find_start(Named("dal-hybrid", {"scales": "C5"}), tiny_classifier_run)
    folder = tmp_path / "run"
    shutil.copytree(tiny_classifier_run, folder)
    with (folder / "weights.safetensors").open("ab") as file:
        file.write(b"x")
    with pytest.raises(WeightsError, match="the run was changed"):
        find_start(Named("dal-hybrid"), folder)


def test_files_get_posteriors_and_every_file_is_accounted_for(tiny_classifier_run, pictures, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no image")
    paths = [pictures[0], str(tmp_path / "bad.png"), pictures[1], str(tmp_path / "gone.png"), *pictures[2:]]
    told = []
    classifier = open_classifier(tiny_classifier_run)
    found = classify_files(classifier, paths, Decoding(n_workers=2), on_file=lambda: told.append(1))
    assert found.rows.tolist() == [0, 2, 4, 5, 6, 7]
    assert found.posteriors.shape == (6, 3)
    np.testing.assert_allclose(found.posteriors.sum(axis=1), 1)
    assert len(np.unique(found.posteriors.round(6), axis=0)) == 6
    reasons = [(Path(each.path).name, str(each.reason)) for each in found.unread]
    assert reasons == [("bad.png", "not_an_image"), ("gone.png", "vanished")]
    assert len(told) == len(paths)


def test_one_image_that_the_network_answers_nonsense_for_costs_itself(tiny_classifier_run, pictures):
    classifier = open_classifier(tiny_classifier_run)
    model = classifier._model

    class Failing:
        widths = model.widths

        def __call__(self, inputs, outputs):
            answers = model(inputs, outputs)
            answers[0][np.abs(inputs["pixels"]).mean(axis=(1, 2, 3)) == worst] = np.nan
            return answers

    worst = -1.0
    seen = []
    classify_files(_listening(classifier, seen), pictures, Decoding(n_workers=1))
    worst = np.float32(seen[2])
    found = classify_files(Classifier(classifier.spec, Failing()), pictures, Decoding(n_workers=1))
    assert found.rows.tolist() == [0, 1, 3, 4, 5]
    assert [str(each.reason) for each in found.unread] == ["bad_embedding"]


def _listening(classifier, seen):
    model = classifier._model

    class Listening:
        widths = model.widths

        def __call__(self, inputs, outputs):
            seen.extend(np.abs(inputs["pixels"]).mean(axis=(1, 2, 3)).tolist())
            return model(inputs, outputs)

    return Classifier(classifier.spec, Listening())


def test_no_file_is_no_posterior(tiny_classifier_run):
    found = classify_files(open_classifier(tiny_classifier_run), [])
    assert found.posteriors.shape == (0, 3)


def test_a_temperature_is_part_of_the_fingerprint(tiny_classifier_run):
    spec = read_spec(tiny_classifier_run)
    assert replace(spec, temperature=2.0).fingerprint != spec.fingerprint
