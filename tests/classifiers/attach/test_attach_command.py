"""`cbir classify attach` asks about every item, accounts for each, and asks only once."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from classifiers.classifier import open_classifier
from classifiers.folder import read_spec
from classifiers.predicting import classify_files
from cli.attach.labels import check_labels
from deploy.labelling.attached import attached_classifier
from indexer import Index, IndexWriter, verify_index

NAME = "dal-hybrid"


@pytest.fixture
def attach(run, index, classifier_run):
    def words(*more: object, expect: int = 0):
        return run(
            "classify", "attach", classifier_run, "-i", index, "--label", "density", *more, expect=expect
        )

    return words


def posteriors(index: Path, name: str = NAME) -> dict[str, np.ndarray]:
    with Index.open(index) as there:
        items = list(there.items())
        table = attached_classifier(there, name).posteriors([item.id for item in items])
    return {Path(item.path).name: row for item, row in zip(items, table, strict=True)}


def account(result) -> dict[str, int]:
    lines = [line.split() for line in result.stderr.splitlines()]
    names = ("items", "known", "classified", "skipped")
    return {line[0]: int(line[1]) for line in lines if line and line[0] in names}


def test_every_item_has_the_posterior_that_the_classifier_gives_its_file(
    attach, index, images, classifier_run
):
    result = attach()
    assert account(result) == {"items": 12, "known": 0, "classified": 12, "skipped": 0}
    assert "learned from 2 of the items" in result.stderr
    paths = sorted(str(each) for each in images.iterdir())
    expected = classify_files(open_classifier(classifier_run), paths).posteriors
    found = posteriors(index)
    np.testing.assert_allclose([found[Path(each).name] for each in paths], expected, atol=1e-5)
    assert verify_index(index).ok
    with Index.open(index) as there:
        learned = attached_classifier(there, NAME)
        by_name = {Path(item.path).name: item.id for item in there.items()}
        names = ["01.png", "02.png", "03.png", "00.png"]
        assert learned.learned_from([by_name[each] for each in names]).tolist() == [True, True, False, False]
        assert learned.settings.label == "density"
        assert open_classifier(there.attachment(NAME).folder).spec.classes == ("F", "G", "D")


def test_again_after_an_update_only_what_is_new_is_read(attach, run, index, tmp_path):
    attach()
    assert account(attach()) == {"items": 12, "known": 12, "classified": 0, "skipped": 0}
    before = posteriors(index)
    (tmp_path / "more").mkdir()
    cv2.imwrite(str(tmp_path / "more" / "new.png"), np.full((80, 80), 90, np.uint8))
    run("index", "update", "-i", index)
    with IndexWriter.open(index) as writer:
        gone = next(path for path in writer.paths() if path.endswith("05.png"))
        writer.remove_paths([gone])
        writer.commit()
    assert account(attach()) == {"items": 11, "known": 11, "classified": 0, "skipped": 0}
    run("index", "update", "-i", index)  # 05.png comes back, and is asked about anew
    assert account(attach()) == {"items": 12, "known": 11, "classified": 1, "skipped": 0}
    for name, row in posteriors(index).items():
        np.testing.assert_allclose(row, before[name], atol=1e-6)


def test_files_that_are_gone_changed_or_broken_are_accounted_for(run, tiny_model, classifier_run, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    drawn = np.random.default_rng(1)
    for name in ("kept", "gone", "changed", "broken", "copied"):
        cv2.imwrite(str(folder / f"{name}.png"), (drawn.random((70, 70)) * 255).astype(np.uint8))
    shutil.copy(folder / "copied.png", folder / "a copy.png")
    run("index", "build", folder, "-o", "own.index", "--extractor", tiny_model / "tiny.toml")
    (folder / "gone.png").unlink()
    (folder / "a copy.png").unlink()
    shutil.copy(folder / "kept.png", folder / "changed.png")
    (folder / "broken.png").write_bytes((folder / "broken.png").read_bytes()[:60])
    result = run("classify", "attach", classifier_run, "-i", "own.index", expect=3)
    assert account(result) == {"items": 6, "known": 0, "classified": 3, "skipped": 3}
    assert "gone.png: vanished" in result.stderr
    assert "changed.png: changed: other bytes than those that were indexed" in result.stderr
    assert "broken.png: " in result.stderr
    known = {name for name, row in posteriors(Path("own.index")).items() if np.isfinite(row).all()}
    assert known == {"kept.png", "copied.png", "a copy.png"}
    assert "no item has a label" in result.stderr


def test_labels_that_the_classifier_does_not_know_are_named(run, index, classifier_run):
    said = run("classify", "attach", classifier_run, "-i", index, expect=2).stderr
    assert "tells 'F', 'G', 'D' apart, and 12 items of" in said
    assert "have the label 'even', 'odd'. Name the column" in said
    assert said.count("\n") == 1
    assert (
        "no column 'grade'"
        in run("classify", "attach", classifier_run, "-i", index, "--label", "grade", expect=2).stderr
    )
    with Index.open(index) as there:
        assert there.attachments() == []
    run("classify", "attach", classifier_run, "-i", index, "--no-label")
    with Index.open(index) as there:
        assert attached_classifier(there, NAME).settings.label is None


def test_classes_that_no_item_has_are_noted(index, classifier_run):
    spec = replace(read_spec(classifier_run), classes=("F", "G", "D", "E"))
    with Index.open(index) as there:
        assert (
            check_labels(there, spec, "density") == "no item has the density 'E', which the classifier knows"
        )
        assert check_labels(there, replace(spec, classes=("F", "G", "D")), "density") is None


def test_another_classifier_of_the_name_takes_its_place_and_a_blend_stays_with_its_own(
    attach, run, index, classifier_run, tmp_path
):
    attach("--name", "grader")
    with IndexWriter.open(index) as writer:
        settings = writer.attachment("grader").settings
        writer.set_attachment("grader", {**settings, "blend": 0.125})
        writer.commit()
    attach("--name", "grader")
    with Index.open(index) as there:
        assert attached_classifier(there, "grader").settings.blend == 0.125
    before = posteriors(index, "grader")
    other = Path(shutil.copytree(classifier_run, tmp_path / "other"))
    spec = replace(read_spec(other), temperature=3.0)
    (other / "classifier.json").write_text(json.dumps(spec.to_dict()))
    words = ("classify", "attach", other, "-i", index, "--label", "density", "--name", "grader")
    assert account(run(*words))["classified"] == 12
    with Index.open(index) as there:
        assert attached_classifier(there, "grader").settings.blend == 0.5
    assert not np.allclose(posteriors(index, "grader")["03.png"], before["03.png"])


def test_what_can_not_be_attached_is_refused_in_one_line(attach, run, index, tmp_path):
    refused = attach("--name", "Größe", expect=1)
    assert "can't be the name" in refused.stderr
    assert not account(refused)
    with IndexWriter.open(index) as writer:
        writer.attach("taken", settings={"kind": "something else"})
        writer.commit()
    assert "is no classifier: choose another" in attach("--name", "taken", expect=1).stderr
    assert "where cbir classify calibrate writes" in attach("--name", "labels", expect=1).stderr
    (tmp_path / "empty").mkdir()
    said = run("classify", "attach", tmp_path / "empty", "-i", index, expect=1).stderr
    assert "is no classifier: it has no classifier.json" in said


def test_info_shows_it_and_detach_removes_it(attach, run, index):
    attach()
    document = json.loads(run("index", "info", "-i", index, "--json").stdout)
    columns = ["p:F", "p:G", "p:D", "learned_from"]
    assert document["attached"] == [{"name": NAME, "kind": "classifier", "columns": columns, "n_images": 11}]
    assert f"{NAME} (classifier, 11 images)" in run("index", "info", "-i", index).stdout
    assert "attached are dal-hybrid" in run("classify", "detach", "dal", "-i", index, expect=2).stderr
    run("classify", "detach", NAME, "-i", index)
    assert json.loads(run("index", "info", "-i", index, "--json").stdout)["attached"] == []
