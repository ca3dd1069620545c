"""`--refine` at `cbir search` and `cbir evaluate`."""

from __future__ import annotations

import json

import numpy as np
import pytest
from indexes import N, build, clustered, document

from indexer import Index
from indexer.refine import refined_search
from indexer.refine.query_expansion import QueryExpansion

SAID = "expand:k=3,alpha=2"


@pytest.fixture
def item_id(good) -> str:
    with Index.open(good) as index:
        return next(item.id for item in index.items())


def test_a_refined_search_says_how_it_was_refined(cbir, good, item_id):
    result = cbir("search", item_id, "-i", good, "--json", "--refine", SAID, "--exclude-same", "group")
    found = json.loads(result.stdout)
    assert found["refine"] == [SAID]
    assert f"refined by {SAID}: scores are not those of the plain search" in result.stderr
    with Index.open(good) as index:
        query = index.query(item_id)
        hits = refined_search(index, [query], 10, [QueryExpansion(3, 2.0)], exclude_same_group=True)[0]
    assert [each["id"] for each in found["hits"]] == [hit.item.id for hit in hits]
    assert [each["score"] for each in found["hits"]] == pytest.approx([hit.score for hit in hits], abs=1e-6)


def test_the_plain_search_says_nothing_of_it(cbir, good, item_id):
    result = cbir("search", item_id, "-i", good, "--json")
    assert json.loads(result.stdout)["refine"] == []
    assert "refined" not in result.stderr


def test_the_page_says_what_its_scores_are(cbir, good, item_id, tmp_path):
    words = ("search", item_id, "-i", good, "--paths", "--html", tmp_path / "hits.html")
    cbir(*words)
    assert "cosine of two embeddings" in (tmp_path / "hits.html").read_text(encoding="utf-8")
    cbir(*words, "--refine", "reciprocal")
    page = (tmp_path / "hits.html").read_text(encoding="utf-8")
    assert "Refined by reciprocal:k1=20,k2=6,lambda=0.3,depth=100" in page
    assert "cosine" not in page


@pytest.mark.parametrize("command", [("search", "an item"), ("evaluate",)], ids=str)
@pytest.mark.parametrize(
    ("said", "message"),
    [("expnd", "did you mean expand?"), ("expand:k=0", "k is 0"), ("expand:q=1", "has no setting 'q'")],
)
def test_what_makes_no_sense_is_a_usage_error(cbir, good, command, said, message):
    assert message in cbir(*command, "-i", good, "--refine", said, expect=2).stderr


def naive_precision(rows: np.ndarray, k: int) -> float:
    """Micro P@k of the expanded search, every step in plain NumPy, the patient out of every step."""
    labels, groups = np.arange(N) % 3, np.arange(N) // 3
    values = []
    for query in range(N):
        others = np.flatnonzero(groups != groups[query])
        near = others[np.argsort(-(rows[others] @ rows[query]))][:3]
        cosines = rows[near] @ rows[query]
        drawn = rows[query] + (np.maximum(cosines, 0) ** 2) @ rows[near]
        order = others[np.argsort(-(rows[others] @ drawn))][:k]
        values.append(np.mean(labels[order] == labels[query]))
    return float(np.mean(values))


def test_a_refined_evaluation_leaves_the_patient_out_of_every_step(cbir, good):
    found = document(cbir("evaluate", "-i", good, "-k", 4, "--refine", SAID, "--json"))
    rows = clustered(0.8, 2).astype(np.float64)
    assert found["measures"]["precision"]["micro"]["value"] == pytest.approx(naive_precision(rows, 4))
    assert found["refine"] == [SAID]


def test_the_leak_of_a_refined_search_is_measured_with_the_group_in_the_gallery(cbir, tmp_path):
    """A patient's images are each other's copies, of other labels: in the gallery, they are found first."""
    rows = np.repeat(clustered(1.2, 5)[::3], 3, axis=0)
    index = build(tmp_path / "copies.index", rows)
    found = document(cbir("evaluate", "-i", index, "-k", 1, "--refine", "expand:k=2", "--json"))
    assert found["leak"]["with_group"] == 0
    assert found["leak"]["without_group"] > 0.2


def test_a_refined_evaluation_is_compared_with_the_plain_one(cbir, good, tmp_path):
    other = build(tmp_path / "other.index", clustered(0.8, 3), name="other")
    words = ("evaluate", "-i", good, "--compare", other, "--refine", SAID)
    found = document(cbir(*words, "--json"))
    plain = document(cbir("evaluate", "-i", good, "--json"))
    (itself, there) = found["comparisons"]
    assert (itself["index"], itself["refine"]) == (str(good), [])
    assert itself["other"] == plain["measures"]["precision"]["macro"]["value"]
    assert itself["value"] == found["measures"]["precision"]["macro"]["value"]
    assert (there["index"], there["refine"]) == (str(other), [SAID])
    refined = document(cbir("evaluate", "-i", other, "--refine", SAID, "--json"))
    assert there["other"] == refined["measures"]["precision"]["macro"]["value"]
    table = cbir(*words).stdout
    assert "its plain search" in table
    assert f"refined by {SAID}, each query's group left out" in table


def test_splits_may_ask_each_other(cbir, good):
    words = ("evaluate", "-i", good, "--queries", "split=test", "--gallery", "split=train", "--json")
    found = document(cbir(*words, "--refine", "reciprocal:k1=5,depth=20", "--refine", "augment:depth=20"))
    assert (found["n_queries"], found["n_gallery"]) == (30, 60)
    assert found["refine"] == ["augment:k=5,alpha=3,depth=20", "reciprocal:k1=5,k2=6,lambda=0.3,depth=20"]


def test_items_without_a_label_take_places_and_more_are_asked_for(cbir, good):
    found = document(cbir("evaluate", "-i", good, "--label", "birads", "--refine", "expand", "--json"))
    assert found["n_queries"] == 81
    message = cbir("evaluate", "-i", good, "-k", 20, "--refine", "reciprocal:depth=15", expect=1).stderr
    assert "ranks the 15 best hits anew, and 20 are asked for" in message


def test_a_run_is_judged_as_it_is(cbir, good, tmp_path):
    words = ("evaluate", "-i", good, "--run", tmp_path / "run.txt", "--refine", "expand")
    assert "leave out --refine" in cbir(*words, expect=2).stderr
