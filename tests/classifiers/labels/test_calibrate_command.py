"""`cbir classify calibrate`, and what `cbir search --predict` then says."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from labelled_index import make_index

from cbir.types import Hit
from classifiers.attached import AttachedSettings
from cli.predicting import predict
from cli.question import Question
from deploy.labelling.labels import ATTACHMENT, labelling_of
from indexer import Index, IndexWriter
from indexer.attachments import ItemValues


@pytest.fixture
def calibrated(run, index):
    run("classify", "calibrate", "-i", index, "-k", 15, "--risk", 0.3)
    return index


def predicted(run, index, item="1.png", *words):
    return json.loads(run("search", item, "-i", index, "-k", 2, "--predict", "--json", *words).stdout)[
        "prediction"
    ]


def test_the_numbers_are_printed_and_kept(run, index):
    words = ("classify", "calibrate", "-i", index, "-k", 15, "--risk", 0.3)
    result = run(*words)
    for name in ("accuracy", "always a", "ECE calibrated", "answered (coverage)", "wrong, of those"):
        assert name in result.stdout
    assert "108 items of 60 patients asked (a 36, b 36, c 36), 15 hits each" in result.stderr
    assert "left out: 12 items without a label" in result.stderr
    assert "research use only, not for diagnosis" in result.stderr.lower()
    said = json.loads(run(*words, "--json").stdout)
    with Index.open(index) as opened:
        kept = opened.attachment(ATTACHMENT).settings
        assert labelling_of(opened).note == ""
    assert kept == said["calibration"]
    assert kept["source"]["n_items"] == 108
    assert said["worth"]["is_result"]
    assert said["worth"]["risk"]["value"] < 0.3


def test_an_answer_comes_with_all_that_speaks_for_and_against_it(run, calibrated):
    found = predicted(run, calibrated)
    assert found["calibrated"]
    assert found["risk"] == 0.3
    assert set(found["probabilities"]) == {"a", "b", "c"}
    assert sum(found["probabilities"].values()) == pytest.approx(1)
    hits = found["support"] + found["against"]
    assert len(hits) + found["unlabelled"] == found["k"] == 15
    assert {hit["label"] for hit in found["support"]} == {found["candidate"]}
    assert found["candidate"] not in {hit["label"] for hit in found["against"]}
    assert found["warning"] == "Research use only, not for diagnosis"
    assert (found["label"] is None) == (found["abstains"] is not None)


def test_the_own_patient_has_no_vote(run, calibrated):
    with Index.open(calibrated) as index:
        own = {item.id for item in index.items() if item.group == "p0"}
    found = predicted(run, calibrated)
    assert own.isdisjoint(hit["id"] for hit in found["support"] + found["against"])


def test_the_file_that_asks_has_no_vote_though_nobody_knows_its_patient(run, calibrated):
    with Index.open(calibrated) as index:
        own = next(item for item in index.items() if item.path.endswith("/11.png"))
        stranger = replace(index.query(own.id), item_id=None, group=None)
        said = predict(index, stranger, Question(text="11.png", k=3)).prediction
        other = predict(index, stranger, Question(text="12.png", k=3)).prediction
    assert own.id not in {hit.item.id for hit in said.support + said.against}
    assert own.id in {hit.item.id for hit in other.support + other.against}
    assert len(said.support) + len(said.against) + said.n_unlabelled == 15


def test_some_answer_and_some_abstain(run, calibrated):
    said = {
        each["label"] is None for each in (predicted(run, calibrated, f"{row}.png") for row in range(1, 24))
    }
    assert said == {True, False}


def test_the_table_ends_with_it(run, calibrated, tmp_path):
    result = run("search", "1.png", "-i", calibrated, "-k", 2, "--predict", "--html", tmp_path / "h.html")
    said = predicted(run, calibrated)
    text = result.stdout
    assert f"probability {said['probability']:.2f}" in text
    assert "one of: " in text
    assert "\nfor " in text
    assert text.endswith("Research use only, not for diagnosis\n")
    page = (tmp_path / "h.html").read_text()
    assert "What is it?" in page
    assert f"{len(said['support'])} for {said['candidate']}, {len(said['against'])} against" in page
    assert page.count("<td>for</td>") == len(said["support"])


def test_every_row_of_a_csv_says_it(run, calibrated):
    result = run("search", "1.png", "-i", calibrated, "-k", 3, "--predict", "--csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    said = predicted(run, calibrated)
    assert len(rows) == 3
    for row in rows:
        assert row["predicted"] == (said["label"] or "")
        assert row["candidate"] == said["candidate"]
        assert float(row["probability"]) == pytest.approx(said["probability"], abs=1e-6)
        assert row["calibrated"] == "True"


def test_an_index_that_is_not_calibrated_says_so_and_votes(run, index):
    found = predicted(run, index)
    assert (found["calibrated"], found["risk"], found["label_set"]) == (False, None, None)
    assert found["label"] == found["candidate"]
    assert found["note"] == f"not calibrated; do so with cbir classify calibrate -i {index} --label label"
    assert "(not calibrated)" in run("search", "1.png", "-i", index, "--predict").stdout


@pytest.mark.parametrize(
    ("words", "option"), [(("--where", "split = 'train'"), "--where"), (("--like", "LIKED"), "--like")]
)
def test_a_search_that_was_not_calibrated_says_so(run, calibrated, words, option):
    with Index.open(calibrated) as index:
        liked = next(index.items()).id
    found = predicted(run, calibrated, "1.png", *(liked if word == "LIKED" else word for word in words))
    assert not found["calibrated"]
    assert found["note"] == f"not calibrated for a search with {option}"


def test_another_column_is_predicted_where_it_was_calibrated(run, index):
    run("classify", "calibrate", "-i", index, "--label", "kind", "-k", 15)
    found = predicted(run, index)
    assert found["column"] == "kind"
    assert found["unlabelled"] == 0


def test_a_part_asks_and_the_others_are_its_gallery(run, index, monkeypatch):
    found: list[Hit] = []
    search_many = Index.search_many

    def spy(self, *words, **named):
        answers = search_many(self, *words, **named)
        found.extend(hit for hits in answers for hit in hits)
        return answers

    monkeypatch.setattr(Index, "search_many", spy)
    result = run("classify", "calibrate", "-i", index, "--items", "split=val", "-k", 15)
    assert "54 items of 30 patients asked" in result.stderr
    assert {hit.item.metadata["split"] for hit in found} == {"train"}


def test_a_risk_that_can_not_be_kept_abstains_always(run, index):
    result = run("classify", "calibrate", "-i", index, "--risk", 0.01)
    assert "every prediction will abstain" in result.stderr
    found = predicted(run, index)
    assert found["label"] is None
    assert found["abstains"] == "no probability was found from which on at most 1% of answers are wrong"


def test_an_index_that_changed_much_is_told(run, calibrated):
    with Index.open(calibrated) as index:
        gone = [item.id for item in index.items() if not item.path.endswith("119.png")][:30]
    with IndexWriter.open(calibrated) as writer:
        writer.remove(gone)
        writer.commit()
    found = predicted(run, calibrated, "119.png")
    assert not found["calibrated"]
    assert found["note"].startswith(
        "no longer calibrated: calibrated at generation 2 with 108 labelled items"
    )


def test_an_index_that_changed_little_stays_calibrated(run, calibrated):
    with Index.open(calibrated) as index:
        gone = next(item.id for item in index.items() if not item.path.endswith("119.png"))
    with IndexWriter.open(calibrated) as writer:
        writer.remove([gone])
        writer.commit()
    assert predicted(run, calibrated, "119.png")["calibrated"]


def test_an_index_without_labels_is_a_usage_error(run, tmp_path):
    bare = make_index(tmp_path, labels="none")
    for words in (
        ("search", tmp_path / "1.png", "-i", bare, "--predict"),
        ("classify", "calibrate", "-i", bare),
    ):
        result = run(*words, expect=2)
        assert f"No item of index {bare} has a label, so that nothing says what an image is" in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_a_column_that_is_not_there_names_the_nearest(run, index):
    assert (
        "did you mean kind?" in run("classify", "calibrate", "-i", index, "--label", "kin", expect=2).stderr
    )


def test_a_part_without_a_label_is_calibration_with_an_empty_class(run, index):
    words = ("classify", "calibrate", "-i", index, "--items", "label=a,b")
    said = run(*words, expect=1).stderr
    assert "Calibration with an empty class: none of 72 images is labelled 'c'" in said
    with Index.open(index) as opened:
        assert opened.attachments() == []


@pytest.mark.parametrize("words", [("--batch", "queries.csv"), ("1.png", "--by", "case")])
def test_one_image_at_a_time_is_predicted(run, index, words):
    assert "--predict" in run("search", *words, "-i", index, "--predict", expect=2).stderr


def attach(index, classes, *, learned: int = 0):
    """A classifier that is right nine times of ten, and learned from this many of the items that it knows."""
    rng = np.random.default_rng(0)
    with Index.open(index) as opened:
        items = [item for item in opened.items() if item.metadata.get("kind")]
    places = np.array([classes.index(str(item.metadata["kind"])) for item in items])
    places = np.where(rng.random(len(items)) < 0.9, places, (places + 1) % len(classes))
    settings = AttachedSettings("net", "f" * 64, tuple(classes), is_ordinal=False, label="label")
    values = np.eye(len(classes))[places] * 0.7 + 0.1
    values = np.column_stack([values, np.arange(len(items)) < learned]).astype(np.float32)
    said = ItemValues(settings.columns, [item.id for item in items], values)
    with IndexWriter.open(index) as writer:
        writer.attach("net", settings=settings.to_dict(), values=said)
        writer.commit()


def test_an_attached_classifier_counts_beside_the_vote(run, index):
    attach(index, ["c", "a", "b"])
    words = ("classify", "calibrate", "-i", index, "--classifier", "net", "-k", 15, "--json")
    said = json.loads(run(*words).stdout)
    assert said["calibration"]["model"]["weight"] > 0.3
    assert said["worth"]["gain_by_classifier"]["value"] > 0
    found = predicted(run, index)
    assert found["calibrated"]
    with IndexWriter.open(index) as writer:
        writer.detach("net")
        writer.commit()
    found = predicted(run, index)
    assert not found["calibrated"]
    assert found["note"] == "not calibrated for the vote alone: classifier net says nothing of the query"


def test_items_that_the_classifier_learned_from_do_not_ask(run, index):
    attach(index, ["a", "b", "c"], learned=40)
    words = ("classify", "calibrate", "-i", index, "--classifier", "net")
    said = run(*words).stderr
    n_left_out = int(re.search(r"left out: (\d+) items that classifier net learned from", said)[1])
    assert 30 <= n_left_out <= 40
    assert f"{108 - n_left_out} items of " in said
    attach(index, ["a", "b", "c"], learned=120)
    assert "Classifier 'net' learned from all 108 items that would ask" in run(*words, expect=1).stderr


def test_a_classifier_of_other_classes_is_refused_in_one_line(run, index):
    attach(index, ["a", "b", "c", "d"])
    said = run("classify", "calibrate", "-i", index, "--classifier", "net", expect=1).stderr
    assert "Classifier 'net' knows a, b, c, d, the labels of index" in said
    assert "are a, b, c." in said
    assert len(said.splitlines()) == 1
