"""What `cbir evaluate` writes beside its table, and what it takes from other systems."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from indexes import N, clustered, document


def test_the_page_says_what_the_table_says_and_how_it_was_made(evaluate, good, tmp_path):
    page = tmp_path / "report.html"
    result = evaluate("-i", good, "-k", 5, "--html", page)
    assert f"written: {page}" in result.stderr
    text = page.read_text(encoding="utf-8")
    assert f"cbir evaluate -i {good} -k 5 --html {page}" in text
    assert "<svg" in text
    value = next(line.split()[2] for line in result.stdout.splitlines() if line.startswith("P@5"))
    assert f"{float(value):.3f}" in text
    assert not re.search(r"(src|href)=\"https?://", text)


def test_the_json_carries_what_the_page_shows(evaluate, good, tmp_path):
    found = document(evaluate("-i", good, "--json"))
    assert found["command"].startswith("cbir evaluate -i ")
    assert found["versions"]["cbir"] == found["program"]
    assert [each["k"] for each in found["curve"]] == list(range(1, 11))
    assert found["curve"][-1]["value"] == found["measures"]["precision"]["macro"]["value"]
    assert found["map"] is None
    assert len(found["extremes"]["best"]) > 0
    mapped = document(evaluate("-i", good, "--json", "--html", tmp_path / "page.html"))
    assert len(mapped["map"]["points"]) == N if "points" in mapped["map"] else mapped["map"]


def test_a_run_that_was_written_measures_the_same_when_it_is_read(evaluate, good, tmp_path):
    own = document(evaluate("-i", good, "--trec", tmp_path / "trec", "--json"))
    back = document(evaluate("-i", good, "--run", tmp_path / "trec" / "run.txt", "--json"))
    assert back["measures"] == own["measures"]
    assert back["run"] == str(tmp_path / "trec" / "run.txt")
    alone = document(
        evaluate("--run", tmp_path / "trec/run.txt", "--qrels", tmp_path / "trec/qrels.txt", "--json")
    )
    precision = own["measures"]["precision"]["micro"]["value"]
    assert alone["measures"]["precision"]["micro"]["value"] == pytest.approx(precision)
    text = evaluate("--run", tmp_path / "trec/run.txt", "--qrels", tmp_path / "trec/qrels.txt").stdout
    assert "chance" in text


def test_a_run_over_one_split_is_judged_over_it(evaluate, good, tmp_path):
    words = ("-i", good, "--queries", "split=test", "--gallery", "split=train", "--json")
    own = document(evaluate(*words, "--trec", tmp_path))
    assert document(evaluate(*words, "--run", tmp_path / "run.txt"))["measures"] == own["measures"]


def test_a_run_over_other_items_is_refused(evaluate, good, tmp_path):
    (tmp_path / "run.txt").write_text("q1 Q0 nobody 1 0.5 other\n")
    assert "nobody" in evaluate("-i", good, "--run", tmp_path / "run.txt", expect=1).stderr


def test_measures_of_whole_lists_are_what_plain_numpy_finds(evaluate, good):
    rows = clustered(0.8, 2).astype(np.float64)
    scores, labels, groups = rows @ rows.T, np.arange(N) % 3, np.arange(N) // 3
    values: dict[str, list[float]] = {"r_precision": [], "map_at_r": [], "whole_average_precision": []}
    for query in range(N):
        order = [each for each in np.argsort(-scores[query]) if groups[each] != groups[query]]
        relevant = labels[order] == labels[query]
        n_relevant = int(relevant.sum())
        precisions = np.cumsum(relevant) / np.arange(1, len(relevant) + 1)
        values["r_precision"].append(relevant[:n_relevant].mean())
        values["map_at_r"].append((precisions * relevant)[:n_relevant].sum() / n_relevant)
        values["whole_average_precision"].append((precisions * relevant).sum() / n_relevant)
    found = document(evaluate("-i", good, "--whole-lists", "--json"))["measures"]
    for name, expected in values.items():
        assert found[name]["micro"]["value"] == pytest.approx(np.mean(expected))
    assert "MAP@R" in evaluate("-i", good, "--whole-lists").stdout
    assert "map_at_r" not in document(evaluate("-i", good, "--json"))["measures"]


@pytest.mark.parametrize("name", ["oml", "tfsim", "dkfz", "mahbod"])
def test_others_definitions_stand_beside_our_own(evaluate, good, name):
    result = evaluate("-i", good, "--definition", name, "--json")
    assert document(result)["definition"]["name"] == name
    title = document(result)["definition"]["title"]
    assert title in evaluate("-i", good, "--definition", name).stdout


def test_options_that_make_no_sense_together_are_usage_errors(evaluate, good, tmp_path):
    (tmp_path / "run.txt").write_text("q1 Q0 d1 1 0.5 other\n")
    assert "oml, tfsim" in evaluate("-i", good, "--definition", "ours", expect=2).stderr
    evaluate("-i", good, "--qrels", tmp_path / "run.txt", expect=2)
    evaluate("-i", good, "--run", tmp_path / "run.txt", "--compare", good, expect=2)
    evaluate("-i", good, "--html", tmp_path / "no" / "folder.html", expect=1)


def test_the_document_is_plain_json(evaluate, good):
    text = evaluate("-i", good, "--json").stdout
    assert "NaN" not in text
    assert json.loads(text)["cbir"] == "evaluation"
