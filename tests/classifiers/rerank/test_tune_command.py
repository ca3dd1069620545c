"""`cbir classify tune` keeps what finds most on a validation part, and says whether it may be luck."""

from __future__ import annotations

import json

import pytest

from deploy.labelling.attached import attached_classifier
from indexer import Index, IndexWriter


def settings_of(path, name="dal"):
    with Index.open(path) as index:
        return attached_classifier(index, name).settings


def test_the_best_blend_is_kept_and_used(cbir, graded, ids):
    result = cbir("classify", "tune", "dal", "-i", graded, "--queries", "split=test", "-k", 4, "--json")
    found = json.loads(result.stdout)
    best = max(found["tried"], key=lambda each: (each["value"], -each["blend"]))
    assert found["blend"] == best["blend"] > 0
    assert best["interval"][0] > 0
    assert f"dal: kept is the blend {best['blend']:g}" in result.stderr
    assert ("not better than the plain search" in result.stderr) is not best["is_better"]
    tuned = settings_of(graded).tuned
    assert settings_of(graded).blend == best["blend"]
    assert (tuned.queries, tuned.label, tuned.k, tuned.n_queries) == ("split=test", "label", 4, 30)
    assert tuned.difference == pytest.approx(best["difference"])
    search = cbir("search", ids[4], "-i", graded, "--rerank", "dal", "--json")
    assert json.loads(search.stdout)["rerank"]["blend"] == best["blend"]
    assert "never tuned" not in search.stderr
    table = cbir("classify", "tune", "dal", "-i", graded, "--queries", "split=test", "-k", 4).stdout
    assert f"{best['value']:.4f}" in table


def test_where_nothing_finds_more_similarity_stays_alone(cbir, graded):
    from indexer.attachments import ItemValues

    with Index.open(graded) as index:
        there = index.attachment("dal")
        ids = [item.id for item in index.items()]
        values = there.values(ids)
        values[:, :3] = 1 / 3  # a classifier that knows nothing
        values[:, 3] = 0
    with IndexWriter.open(graded) as writer:
        said = ItemValues(there.columns, ids, values)
        writer.attach("dal", settings=there.settings, values=said)
        writer.commit()
    result = cbir("classify", "tune", "dal", "-i", graded, "--queries", "split=test", "-k", 4)
    assert "no blend finds more than the plain search: kept is 0" in result.stderr
    assert settings_of(graded).blend == 0


def test_a_part_that_the_classifier_learned_from_is_refused(cbir, graded):
    words = ("classify", "tune", "dal", "-i", graded, "--queries", "split=train")
    said = cbir(*words, expect=1).stderr
    assert "dal learned from 3 of the 60 items of split=train: it would be trusted too much" in said
    assert settings_of(graded).tuned is None


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--queries", "split=nobody"], 1, "no item with split=nobody"),
        (["--queries", "site=one"], 1, "measured on none"),
        (["--queries", "split=test", "--label", "grade"], 2, "no column 'grade'"),
        (["--queries", "split=test", "-k", 200], 2, "give --rerank-depth 200"),
    ],
)
def test_what_makes_no_sense_is_refused(cbir, graded, words, code, message):
    result = cbir("classify", "tune", "dal", "-i", graded, *words, expect=code)
    assert message in " ".join(result.stderr.replace("│", " ").split())


def test_an_unknown_name_is_refused(cbir, graded):
    words = ("classify", "tune", "dall", "-i", graded, "--queries", "split=test")
    assert "attached are blended, dal" in cbir(*words, expect=2).stderr
