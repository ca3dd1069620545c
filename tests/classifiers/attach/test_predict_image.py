"""`cbir search IMAGE --predict` with a classifier that was calibrated with the vote: it looks, too."""

from __future__ import annotations

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from classifiers.classifier import open_classifier
from classifiers.labels import LabelCalibration, LabelModel, Source
from classifiers.predicting import classify_files
from indexer import Index, IndexWriter

COLD = """
import atexit, sys
heavy = {"torch", "timm", "faiss", "scipy", "cv2"}
atexit.register(lambda: print(*(heavy & set(sys.modules)), file=sys.stderr))
from cli.app import app
app(sys.argv[1:], prog_name="cbir")
"""


@pytest.fixture
def calibrated(run, index, classifier_run):
    """An index that believes the classifier alone."""
    run("classify", "attach", classifier_run, "-i", index, "--label", "density")
    with Index.open(index) as opened:
        source = Source("density", opened.fingerprint, opened.generation + 1, 12, 12, 11, "dal-hybrid")
    model = LabelModel(("D", "F", "G"), (0.25, 0.5, 0.25), k=5, weight=1.0)
    made = LabelCalibration(model, risk=0.1, confidence=0.9, threshold=0.0, set_cutoff=0.0, source=source)
    with IndexWriter.open(index) as writer:
        writer.attach("labels", settings=made.to_dict())
        writer.commit()
    return index


@pytest.fixture
def picture(tmp_path):
    """One that is in no index."""
    path = tmp_path / "query.png"
    cv2.imwrite(str(path), (np.random.default_rng(9).random((100, 120)) * 200).astype(np.uint8))
    return path


def probabilities(run, index, *words):
    said = json.loads(run("search", *words, "-i", index, "--predict", "--json").stdout)["prediction"]
    assert said["calibrated"]
    return said["probabilities"]


def test_an_image_is_what_the_classifier_says_of_its_file(run, calibrated, classifier_run, picture):
    [posterior] = classify_files(open_classifier(classifier_run), [str(picture)]).posteriors.tolist()
    expected = dict(zip(("F", "G", "D"), posterior, strict=True))
    assert probabilities(run, calibrated, picture) == pytest.approx(expected, abs=1e-5)
    assert probabilities(run, calibrated, picture, "--rerank", "dal-hybrid") == pytest.approx(
        expected, abs=1e-5
    )


def test_an_item_is_what_was_stored_of_it(run, calibrated, images):
    by_file = probabilities(run, calibrated, images / "05.png")
    with Index.open(calibrated) as index:
        item = next(item.id for item in index.items() if item.path.endswith("05.png"))
    assert probabilities(run, calibrated, item) == pytest.approx(by_file, abs=1e-5)


def test_a_cold_prediction_with_a_classifier_loads_no_torch(calibrated, picture):
    words = ["search", str(picture), "-i", str(calibrated), "--json", "--predict"]
    done = subprocess.run([sys.executable, "-c", COLD, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == ""
    assert json.loads(done.stdout)["prediction"]["calibrated"]


def test_the_classifier_is_calibrated_with_the_vote(run, index, classifier_run):
    run("classify", "attach", classifier_run, "-i", index, "--label", "density")
    words = (
        "classify",
        "calibrate",
        "-i",
        index,
        "--label",
        "density",
        "--classifier",
        "dal-hybrid",
        "-k",
        5,
    )
    result = run(*words)
    assert "weight of the classifier" in result.stdout
    assert "gain by the classifier" in result.stdout
    assert "items that classifier dal-hybrid learned from" in result.stderr
    assert "classifier dal-hybrid is no better than the vote alone" in result.stderr
