"""`cbir classify predict`: the real command on real files."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from classifiers.classifier import open_classifier
from classifiers.predicting import classify_files
from classifiers.predictions import read_predictions


@pytest.fixture
def folder(pictures, tmp_path) -> Path:
    """Six images, a text file and a link."""
    target = tmp_path / "images"
    target.mkdir()
    for path in pictures:
        shutil.copy(path, target)
    (target / "notes.txt").write_text("no image")
    (target / "link.png").symlink_to(target / "0.png")
    return target


def write_items(path: Path, labels: list[str], column: str = "label") -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", column, "patient_id", "split"])
        for number, label in enumerate(labels):
            split = "test" if number % 2 else "train"
            writer.writerow([f"images/{number}.png", label, f"p{number // 2}", split])
    return path


def test_a_folder_becomes_a_table_and_every_file_is_accounted_for(run, tiny_classifier_run, folder, tmp_path):
    log = tmp_path / "skipped.jsonl"
    done = run("classify", "predict", tiny_classifier_run, folder, "--skipped", log, expect=3)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[:2] == ["found      8", "classified 6"]
    assert lines[2] == "skipped    2  symlink 1, not_an_image 1"
    reasons = {Path(row["path"]).name: row["reason"] for row in map(json.loads, log.read_text().splitlines())}
    assert reasons == {"notes.txt": "not_an_image", "link.png": "symlink"}
    table = read_predictions("predictions.csv")
    assert table.classes == ("F", "G", "D")
    assert table.labels == (None,) * 6
    wanted = classify_files(open_classifier(tiny_classifier_run), list(table.paths))
    np.testing.assert_allclose(table.posteriors, wanted.posteriors, atol=1e-8)


def test_labels_patients_and_splits_come_along(run, tiny_classifier_run, folder, tmp_path):
    items = write_items(tmp_path / "items.csv", ["F", "G", "", "D", "F", "G"], "density")
    run("classify", "predict", tiny_classifier_run, items, "--label", "density", "-o", tmp_path / "a.csv")
    table = read_predictions(tmp_path / "a.csv")
    assert table.labels == ("F", "G", None, "D", "F", "G")
    assert table.groups == ("p0", "p0", "p1", "p1", "p2", "p2")
    assert table.splits == ("train", "test") * 3
    glob = folder / "*.png"
    words = ["classify", "predict", tiny_classifier_run, glob, "--labels", items, "--label", "density"]
    run(*words, "-o", tmp_path / "b.csv", expect=3)  # the link
    joined = read_predictions(tmp_path / "b.csv")
    assert dict(zip(joined.paths, joined.labels, strict=True)) == dict(
        zip(table.paths, table.labels, strict=True)
    )


def test_its_table_can_be_evaluated(run, tiny_classifier_run, folder, tmp_path):
    items = write_items(tmp_path / "items.csv", ["F", "G", "D", "D", "F", "G"])
    run("classify", "predict", tiny_classifier_run, items)
    shown = run("classify", "evaluate", "predictions.csv", "--split", "test", "--json")
    assert "accuracy" in shown.stdout


def test_a_label_that_is_no_class_is_refused_before_anything_is_read(
    run, tiny_classifier_run, folder, tmp_path
):
    items = write_items(tmp_path / "items.csv", ["F", "G", "X", "X", "F", "Y"])
    done = run("classify", "predict", tiny_classifier_run, items, expect=1)
    assert len(done.stderr.splitlines()) == 1
    assert "3 of 6 images have labels that the classifier does not know: 'X', 'Y'" in done.stderr
    assert "Its classes are 'F', 'G', 'D'" in done.stderr
    assert not Path("predictions.csv").exists()


def test_a_folder_that_is_no_classifier_and_one_without_images_are_said_in_a_line(
    run, tiny_classifier_run, folder, tmp_path
):
    done = run("classify", "predict", folder, folder, expect=1)
    assert done.stderr.startswith(f"error: {folder} is no classifier: it has no classifier.json")
    assert len(done.stderr.splitlines()) == 1
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no image")
    done = run("classify", "predict", tiny_classifier_run, tmp_path / "empty", expect=1)
    assert "None of 1 files in" in done.stderr.splitlines()[-1]


def test_it_imports_no_torch(tiny_classifier_run, pictures, tmp_path):
    words = ["classify", "predict", tiny_classifier_run, pictures[0], "-o", tmp_path / "x.csv"]
    code = (
        f"import sys; from cli.app import app; app({list(map(str, words))}, standalone_mode=False); "
        "print([m for m in ('torch', 'timm', 'openvino') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
