"""`cbir classify evaluate` on tables of made posteriors, and the page that it writes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from posteriors import table
from typer.testing import CliRunner

from classifiers.predictions import write_predictions


@pytest.fixture
def evaluate(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)

    from cli.app import app

    def run(*words: object, expect: int = 0):
        result = CliRunner().invoke(app, ["classify", "evaluate", *map(str, words)], prog_name="cbir")
        assert result.exit_code == expect, result.output
        return result

    return run


@pytest.fixture
def good(tmp_path):
    write_predictions(tmp_path / "good.csv", table(60, 3, knows=3))
    return tmp_path / "good.csv"


@pytest.fixture
def noise(tmp_path):
    write_predictions(tmp_path / "noise.csv", table(60, 3, knows=0, seed=7))
    return tmp_path / "noise.csv"


def test_the_table_shows_chance_beside_every_measure(evaluate, good):
    lines = evaluate(good).stdout.splitlines()
    assert lines[1] == "images       60 of 20 groups, most of them '3'"
    assert lines[2] == "classes      1, 2, 3, ordinal"
    (head,) = [place for place, line in enumerate(lines) if line.startswith("measure")]
    assert lines[head].split() == ["measure", "value", "95", "%", "interval", "random", "majority"]
    row = next(line.split() for line in lines if line.startswith("macro AUC"))
    assert row[-2:] == ["0.5000", "0.5000"]
    assert not any(line.startswith("no result") for line in lines)


def test_noise_is_no_result(evaluate, noise):
    assert "\nno result: macro F1 0." in evaluate(noise).stdout


def test_the_json_has_what_the_table_has_and_the_curves(evaluate, good):
    found = json.loads(evaluate(good, "--json", "--positive", "3").stdout)
    assert (found["cbir"], found["version"], found["n_images"], found["ordinal"]) == (
        "classification",
        1,
        60,
        True,
    )
    assert found["measures"]["mcc"]["beats_both"]
    assert "beats_both" not in found["measures"]["adjacent_errors"]
    assert "random" not in found["measures"]["ece"]
    assert sum(map(sum, found["confusion"]["counts"])) == 60
    assert set(found["roc"]) == {"1", "2", "3"}
    assert set(found["decision"]) == {"3"}
    assert sum(each["n_images"] for each in found["reliability"]) == 60
    assert [each["label"] for each in found["classes"]] == ["1", "2", "3"]


def test_comparing_and_repeating(evaluate, good, noise):
    found = json.loads(evaluate(good, "--compare", noise, "--repeat", noise, "--json").stdout)
    (compared,) = found["comparisons"]
    assert compared["measures"]["macro_f1"]["p_value_holm"] < 0.05
    assert len(found["seeds"]["accuracy"]["values"]) == 2
    text = evaluate(good, "--compare", noise, "--repeat", noise).stdout
    assert "\ncompared with" in text
    assert "\nover 2 seeds" in text


def test_a_run_means_its_test_part(evaluate, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    assert "has no table test.csv; it has none" in evaluate(run, expect=1).stderr
    write_predictions(run / "test.csv", table(30, 3, knows=3))
    write_predictions(run / "validation.csv", table(45, 3, knows=3))
    assert json.loads(evaluate(run, "--json").stdout)["n_images"] == 30
    assert json.loads(evaluate(run, "--split", "val", "--json").stdout)["n_images"] == 45
    (run / "classifier.json").write_text("{")
    assert "classifier.json can't be read" in evaluate(run, expect=1).stderr


def test_a_table_of_several_splits_needs_one_named(evaluate, tmp_path):
    made = table(60, 3, knows=3)
    made = replace(made, splits=tuple("train" if row < 20 else "test" for row in range(60)))
    write_predictions(tmp_path / "both.csv", made)
    stderr = evaluate("both.csv", expect=1).stderr
    assert "images of several splits: test (40), train (20). Name one with --split." in stderr
    assert json.loads(evaluate("both.csv", "--split", "test", "--json").stdout)["n_images"] == 40
    assert "no image of the split 'val'" in evaluate("both.csv", "--split", "val", expect=1).stderr


def test_what_makes_no_sense_is_said_in_one_line(evaluate, good, tmp_path):
    assert "can't be read: No such file" in evaluate("nothing.csv", expect=1).stderr
    assert "--positive is '9'; the classes are" in evaluate(good, "--positive", "9", expect=2).stderr
    assert "--features and --map go with --html" in evaluate(good, "--features", "f.npy", expect=2).stderr
    assert "--map is of a run" in evaluate(good, "--map", "--html", "r.html", expect=2).stderr
    np.save(tmp_path / "f.npy", np.zeros((3, 4)))
    (tmp_path / "text.npy").write_text("no array")
    stderr = evaluate(good, "--features", "f.npy", "--html", "r.html", expect=1).stderr
    assert "f.npy has the shape (3, 4)" in stderr
    assert "can't be read as .npy" in evaluate(good, "--features", "text.npy", "--html", "r", expect=1).stderr


HOSTILE = ("<script>alert(1)</script>", "\u202eevil", '"><img src=x>')


class Tags(HTMLParser):
    """Every start tag with its attributes, and all text; the tags must nest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def page(evaluate, tmp_path):
    made, other = table(60, 3, knows=2), table(60, 3, knows=0, seed=7)
    for name, each in (("it.csv", made), ("other.csv", other)):
        labels = tuple(HOSTILE[int(label) - 1] for label in each.labels)
        write_predictions(tmp_path / name, replace(each, classes=HOSTILE, labels=labels))
    np.save(tmp_path / "f.npy", np.random.default_rng(0).normal(size=(60, 8)))
    words = "it.csv --html r.html --features f.npy --compare other.csv --repeat other.csv"
    evaluate(*words.split())
    return (tmp_path / "r.html").read_text(encoding="utf-8")


def test_nothing_of_the_page_is_fetched_and_nothing_runs(page):
    tags = Tags(page)
    assert tags.open == []
    assert {tag for tag, _ in tags.found}.isdisjoint({"script", "link", "iframe", "form", "a", "use", "img"})
    assert not [key for _, keys in tags.found for key in keys if key.startswith("on") or key == "href"]
    assert not re.search(r"https?:|//[a-z]|url\(|@import", page)
    assert HOSTILE[0] in tags.text
    assert "\u202e" not in page
    assert r"\u202eevil" in tags.text


def test_the_page_has_every_part(page):
    text = Tags(page).text
    for words in (
        *("Research use only, not for diagnosis", "Six measures", "Answers by label", "ROC curves"),
        *("Reliability", "Decision curves", "Probabilities by class", "Map of the features"),
        *("Every measure", "Compared on the same images", "Over training seeds"),
        *("To make these numbers again", "cbir classify evaluate it.csv --html r.html"),
    ):
        assert words in text
    drawn = re.findall(r'role="img" aria-label="([^"]*)"', page)
    assert sum(each.startswith("net benefit of acting on") for each in drawn) == 3
    assert sum("upwards its" in each for each in drawn) == 3
    assert not re.search(r'="[^"]*\bnan\b', page)


def test_the_page_of_one_positive_class_and_of_one_patient(evaluate, tmp_path):
    write_predictions(tmp_path / "one.csv", table(30, 2, per_group=30))
    evaluate("one.csv", "--html", "r.html", "--positive", "2")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert page.count("net benefit of acting on") == 1
    assert "with one group there is no interval" in page
    assert "Map of the features" not in page


def test_a_run_maps_what_its_own_network_makes_of_the_images(
    evaluate, make_classifier, pictures, tmp_path_factory
):
    run = make_classifier(
        tmp_path_factory.mktemp("nominal") / "run", classes=("1", "2", "3"), is_ordinal=False
    )
    rng = np.random.default_rng(0)
    paths = list(pictures)
    for number in range(9):
        paths.append(str(run / f"{number}.png"))
        Image.fromarray(rng.integers(0, 255, (80, 80), dtype=np.uint8)).save(paths[-1])
    paths.append(str(run / "gone.png"))
    write_predictions(run / "test.csv", replace(table(16, 3), paths=tuple(paths)))
    assert not json.loads(evaluate(run, "--json").stdout)["ordinal"]
    assert json.loads(evaluate(run, "--ordinal", "--json").stdout)["ordinal"]
    result = evaluate(run, "--html", "r.html", "--map")
    assert "1 of 16 images can't be read and are not on the map" in result.stderr
    page = Path("r.html").read_text(encoding="utf-8")
    assert "t-SNE of 15 images by what the network made of them" in Tags(page).text
