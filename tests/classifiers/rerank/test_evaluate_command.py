"""`cbir evaluate --rerank` measures what `cbir search --rerank` finds, beside the plain search."""

from __future__ import annotations

import numpy as np
import pytest
from indexes import document

from deploy.labelling.attached import attached_classifier
from indexer import Index


def naive_precision(path, ids, k, depth, blend=0.5):
    """Micro P@k, the query's patient left out before the depth is counted."""
    with Index.open(path) as index:
        table = attached_classifier(index, "dal").posteriors(ids).astype(float)
        rows = np.array([index.query(each).embedding for each in ids], dtype=float)
    labels, groups, order = np.arange(90) % 3, np.arange(90) // 3, np.array(ids)
    values = []
    for query in range(90):
        others = np.flatnonzero(groups != groups[query])
        cosines = rows[others] @ rows[query]
        best = np.lexsort((order[others], -cosines))[:depth]
        others, cosines = others[best], cosines[best]
        agreed = table[others] @ table[query]
        if np.isfinite(agreed).any():
            agreed[np.isnan(agreed)] = np.nanmean(agreed)
            others = others[np.lexsort((order[others], -((1 - blend) * cosines + blend * agreed)))]
        values.append(np.mean(labels[others[:k]] == labels[query]))
    return float(np.mean(values))


def test_a_reranked_evaluation_is_the_reranked_search_of_every_item(cbir, graded, ids):
    words = ("evaluate", "-i", graded, "-k", 4, "--rerank", "dal", "--rerank-depth", 20, "--json")
    result = document(cbir(*words))
    expected = naive_precision(graded, ids, 4, 20)
    assert result["measures"]["precision"]["micro"]["value"] == pytest.approx(expected)
    assert result["rerank"] == {"name": "dal", "depth": 20, "blend": 0.5}


def test_it_is_compared_with_the_plain_search_and_with_others_as_they_are(cbir, graded):
    result = cbir("evaluate", "-i", graded, "--rerank", "dal", "--compare", graded, "--json")
    found, plain = document(result), document(cbir("evaluate", "-i", graded, "--json"))
    value = plain["measures"]["precision"]["macro"]["value"]
    assert [each["other"] for each in found["comparisons"]] == [value, value]
    (itself, _) = found["comparisons"]
    assert itself["value"] == found["measures"]["precision"]["macro"]["value"] > value + 0.1
    assert itself["interval"][0] > 0
    table = cbir("evaluate", "-i", graded, "--rerank", "dal").stdout
    assert "its plain search" in table
    assert "re-ranked by dal (the 100 best hits, blend 0.5), each query's group left out" in table


def test_queries_that_were_learned_from_or_are_unknown_are_told(cbir, graded):
    said = cbir("evaluate", "-i", graded, "--rerank", "dal").stderr
    assert "3 of 90 queries were learned from by dal: it knows their labels" in said
    assert "3 of 90 items of the gallery were learned from by dal: what it says of them is nearly" in said
    assert "5 of 90 queries have no posterior of dal" in said
    assert "was never tuned: cbir classify tune dal" in said
    test_part = cbir("evaluate", "-i", graded, "--rerank", "dal", "--queries", "split=test").stderr
    assert "queries were learned from" not in test_part


def test_the_leak_is_measured_with_the_group_in_the_gallery(cbir, graded):
    words = ("evaluate", "-i", graded, "-k", 4, "--json")
    plain, same = document(cbir(*words)), document(cbir(*words, "--rerank", "blended"))
    assert same["leak"] == plain["leak"]
    assert plain["leak"]["delta"] != 0


def test_whole_lists_keep_what_lies_beyond_the_depth(cbir, graded):
    words = ("evaluate", "-i", graded, "--rerank-depth", 20, "--rerank", "dal", "--whole-lists", "--json")
    found = document(cbir(*words))
    assert 0 < found["measures"]["r_precision"]["micro"]["value"] < 1


@pytest.mark.parametrize(
    "words",
    [
        ["--refine", "expand"],
        ["--by", "case"],
        ["--repeat", "other.index"],
        ["--run", "run.txt"],
        ["-k", "200"],
    ],
)
def test_what_can_not_go_together_is_refused(cbir, graded, words):
    cbir("evaluate", "-i", graded, "--rerank", "dal", *words, expect=2)
