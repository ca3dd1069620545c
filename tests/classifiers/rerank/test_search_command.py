"""`cbir search --rerank` of items: the same hits anew, with the reasons, beside every filter."""

from __future__ import annotations

import json

import numpy as np
import pytest

from deploy.labelling.attached import attached_classifier
from indexer import Index


def found(cbir, index, *words):
    return json.loads(cbir("search", *words, "-i", index, "--json").stdout)


def naive(index, item_id, k, depth, *, blend=0.5, **how):
    """The definition, a hit at a time."""
    with Index.open(index) as opened:
        classifier = attached_classifier(opened, "dal")
        mine = classifier.posteriors([item_id])[0].astype(float)
        rows = []
        for hit in opened.search(opened.query(item_id), depth, **how):
            theirs = classifier.posteriors([hit.item.id])[0].astype(float)
            rows.append([hit.item.id, hit.score, float(np.sum(mine * theirs))])
    mean = np.nanmean([agreed for _, _, agreed in rows])
    scores = {
        each: (1 - blend) * cosine + blend * (mean if np.isnan(agreed) else agreed)
        for each, cosine, agreed in rows
    }
    best = sorted(scores, key=lambda each: (-scores[each], each))[:k]
    return [(each, scores[each]) for each in best]


@pytest.mark.parametrize("number", [4, 40])
@pytest.mark.parametrize("depth", [12, 100])
def test_the_best_hits_are_ordered_anew_and_cut(cbir, graded, ids, number, depth):
    hits = found(cbir, graded, ids[number], "--rerank", "dal", "--rerank-depth", depth, "-k", 7)["hits"]
    expected = naive(graded, ids[number], 7, depth)
    assert [hit["id"] for hit in hits] == [each for each, _ in expected]
    assert [hit["score"] for hit in hits] == pytest.approx([score for _, score in expected], abs=1e-6)
    assert [hit["rank"] for hit in hits] == list(range(1, 8))


def test_json_says_how_a_score_came_about(cbir, graded, ids):
    document = found(cbir, graded, ids[4], "--rerank", "dal", "-k", 80)
    assert document["rerank"] | {"posterior": None} == {
        "by": "dal",
        "depth": 100,
        "blend": 0.5,
        "tuned": False,
        "posterior": None,
    }
    assert sum(document["rerank"]["posterior"].values()) == pytest.approx(1, abs=1e-5)
    for hit in document["hits"]:
        if hit["agreement"] is not None:
            assert hit["score"] == pytest.approx((hit["cosine"] + hit["agreement"]) / 2, abs=1e-6)
    plain = found(cbir, graded, ids[4])
    assert plain["rerank"] is None
    assert not {"cosine", "agreement"} & set(plain["hits"][0])


def test_filters_hold_before_the_hits_are_ordered(cbir, graded, ids):
    words = ("--rerank", "dal", "--rerank-depth", 10, "-k", 5, "--exclude-same", "group")
    hits = found(cbir, graded, ids[4], *words, "--where", "split = 'test'")["hits"]
    assert {hit["metadata"]["split"] for hit in hits} == {"test"}
    assert not {"g1"} & {hit["group"] for hit in hits}
    from cbir.items.where import parse_where

    how = {"where": parse_where("split = 'test'"), "exclude_same_group": True}
    assert [hit["id"] for hit in hits] == [each for each, _ in naive(graded, ids[4], 5, 10, **how)]


def test_a_blend_of_nothing_is_the_plain_search(cbir, graded, ids):
    plain = found(cbir, graded, ids[4])["hits"]
    anew = found(cbir, graded, ids[4], "--rerank", "blended")["hits"]
    assert [(hit["id"], hit["score"]) for hit in plain] == [(hit["id"], hit["score"]) for hit in anew]


def test_a_query_without_a_posterior_keeps_the_plain_order_and_says_so(cbir, graded, ids):
    plain = cbir("search", ids[89], "-i", graded, "--csv").stdout
    anew = cbir("search", ids[89], "-i", graded, "--csv", "--rerank", "dal")
    assert anew.stdout == plain
    assert "no posterior of dal: the hits are in the order of the plain search" in anew.stderr


def test_what_is_not_tuned_and_not_known_is_said(cbir, graded, ids, tmp_path):
    result = cbir("search", ids[4], "-i", graded, "--rerank", "dal", "--html", tmp_path / "page.html")
    assert (
        "the 100 best hits re-ranked: the score is 0.5 of the cosine and 0.5 of the agreement by dal"
        in result.stderr
    )
    assert "the blend 0.5 of dal was never tuned: cbir classify tune dal" in result.stderr
    assert "5 of 89 hits have no posterior of dal, and stand by their cosine alone" in result.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "The score is 0.5 of the cosine" in page
    assert "cosine of two embeddings" not in page


def test_liked_items_move_the_query_that_has_a_posterior_of_its_own(cbir, graded, ids):
    words = (ids[4], "--like", ids[7], "--rerank", "dal")
    document = found(cbir, graded, *words)
    assert document["query"]["like"] == [ids[7]]
    assert (
        document["rerank"]["posterior"]
        == found(cbir, graded, ids[4], "--rerank", "dal")["rerank"]["posterior"]
    )


@pytest.mark.parametrize("name", ["dall", "notes", "../dal"])
def test_a_name_that_is_no_classifier_is_refused_with_those_attached(cbir, graded, ids, name):
    said = cbir("search", ids[4], "-i", graded, "--rerank", name, expect=2).stderr
    assert f"has no classifier '{name}': attached are blended, dal. Attach one" in said
    assert said.count("\n") == 1


def test_an_index_without_classifiers_says_so(cbir, tmp_path):
    from indexes import build, clustered

    index = build(tmp_path / "bare.index", clustered(0.8, 2))
    with Index.open(index) as opened:
        item_id = next(opened.items()).id
    assert "none is attached" in cbir("search", item_id, "-i", index, "--rerank", "dal", expect=2).stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--rerank-depth", 5], "--rerank-depth goes with --rerank"),
        (["--rerank", "dal", "-k", 101], "-k asks for 101: give --rerank-depth 101"),
        (["--rerank", "dal", "--refine", "expand"], "--rerank and --refine can't go together"),
    ],
)
def test_what_can_not_go_together_is_said(cbir, graded, ids, words, message):
    result = cbir("search", ids[4], "-i", graded, *words, expect=2)
    assert message in " ".join(result.stderr.replace("│", " ").split())


def test_a_batch_cases_and_liked_items_alone_are_refused(cbir, graded, ids, tmp_path):
    (tmp_path / "queries.csv").write_text(f"id\n{ids[4]}\n")
    for words in (["--batch", "queries.csv"], ["--like", ids[4]], [ids[4], "--by", "case"]):
        cbir("search", *words, "-i", graded, "--rerank", "dal", expect=2)


def test_an_index_without_labels_is_ordered_by_posteriors_alone(cbir, graded, ids):
    from indexer import IndexWriter

    before = found(cbir, graded, ids[4], "--rerank", "dal")["hits"]
    with IndexWriter.open(graded) as writer:
        for path in list(writer.paths()):
            writer.update_annotations(path, label=None, group=None, metadata={})
        writer.commit()
    after = found(cbir, graded, ids[4], "--rerank", "dal")["hits"]
    assert [hit["id"] for hit in after] == [hit["id"] for hit in before]
    assert {hit["label"] for hit in after} == {None}
