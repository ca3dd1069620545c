"""`cbir index tune`: a grid on a validation part, paired against the plain search."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from gallery import add, fill_model, spec_of
from indexes import DIM, clustered, document

from cbir.errors import ItemsError, SpecError
from cbir.evaluation.comparison import holm
from cbir.evaluation.pairing import compare_studies
from cbir.items.part import Part
from indexer import Index, IndexWriter
from indexer.fitting.refinement import Tuning, tune_refinements
from indexer.refine import parse_grid
from indexer.refine.query_expansion import QueryExpansion
from indexer.refine.reciprocal import Reciprocal
from indexer.study import StudyPlan, study_index

PLAN = StudyPlan(k=5, queries=Part("split", ("test",)), gallery=Part("split", ("train",)))
GRID = parse_grid(["expand:k=1/4,alpha=2", "reciprocal:k1=5,k2=2,lambda=.3,depth=20"])


@pytest.fixture(scope="module")
def index(good):
    with Index.open(good) as opened:
        yield opened


@pytest.fixture(scope="module")
def tuned(index) -> Tuning:
    return tune_refinements(index, PLAN, GRID)


def test_every_setting_is_tried_alone_and_with_the_others(tuned):
    one, four, last = QueryExpansion(1, 2.0), QueryExpansion(4, 2.0), Reciprocal(5, 2, 0.3, 20)
    assert {each.refinements for each in tuned.tried} == {
        (one,), (four,), (last,), (one, last), (four, last)
    }  # fmt: skip


def test_each_is_what_a_study_of_it_finds_against_the_plain_search(index, tuned):
    plain = study_index(index, PLAN)
    for each in tuned.tried:
        study = study_index(index, replace(PLAN, refinements=each.refinements))
        assert each.paired == compare_studies(study, plain)
    corrected = holm([each.paired.comparison.p_value for each in tuned.tried])
    assert sorted(corrected) == sorted(each.p_holm for each in tuned.tried)


def test_the_best_come_first(tuned):
    values = [each.paired.value for each in tuned.tried]
    assert values == sorted(values, reverse=True)


def test_without_a_gallery_no_item_outside_of_the_part_has_a_say(index):
    found = tune_refinements(index, replace(PLAN, gallery=None), GRID[:1])
    assert int(found.plain.gallery.sum()) == len(found.plain.query_ids) == 30


def test_what_would_leave_nobody_to_report_on_is_refused(index):
    with pytest.raises(ItemsError, match=r"Tuning takes a validation part.*split=val"):
        tune_refinements(index, replace(PLAN, queries=None), GRID)
    everybody = replace(PLAN, queries=Part("split", ("train", "test")), gallery=None)
    with pytest.raises(ItemsError, match=r"split=train,test is all 90 items.*measured on none"):
        tune_refinements(index, everybody, GRID)


def test_nothing_to_try_and_too_much_are_refused(index):
    with pytest.raises(SpecError, match="nothing to try"):
        tune_refinements(index, PLAN, [])
    many = parse_grid([f"expand:k={'/'.join(map(str, range(1, 301)))},alpha=1"])
    with pytest.raises(SpecError, match="has 300 settings; try 256 at most"):
        tune_refinements(index, PLAN, many)


WORDS = ("index", "tune", "--queries", "split=test", "--gallery", "split=train", "-k", 5)


def test_the_table_begins_with_the_plain_search_and_ends_with_what_to_copy(cbir, good, tuned):
    result = cbir(*WORDS, "-i", good, "--refine", "expand:k=1/4,alpha=2")
    lines = result.stdout.splitlines()
    assert lines[0].split()[:4] == ["refined", "by", "macro", "P@5"]
    assert lines[1].split() == ["nothing", f"{tuned.tried[0].paired.other:.4f}"]
    assert len(lines) == 6
    assert lines[-1].startswith("--refine expand:k=")
    assert "by the paired test" in result.stderr
    cbir("evaluate", "-i", good, *lines[-1].split())


def test_the_document_says_the_same(cbir, good):
    words = (*WORDS, "-i", good, "--refine", "expand:k=1/4,alpha=2", "--json")
    found = document(cbir(*words))
    assert (found["cbir"], found["version"], found["n_queries"], found["n_gallery"]) == ("tuning", 1, 30, 60)
    assert len(found["tried"]) == 2
    assert json.loads(cbir(*words).stdout) == found


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (("--refine", "expand:k=1/x"), 2, "k is 'x'; it takes a whole number"),
        (("--refine", "augmnt"), 2, "did you mean augment?"),
        ((), 2, "Missing option '--refine'"),
        (("--refine", "expand", "--label", "birad"), 2, "did you mean birads?"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(cbir, good, more, code, message):
    assert message in cbir(*WORDS, "-i", good, *more, expect=code).stderr


def test_it_asks_for_a_part(cbir, good):
    assert "--queries" in cbir("index", "tune", "-i", good, "--refine", "expand", expect=2).stderr


def test_a_tenants_items_alone_are_asked_and_found(cbir, tmp_path):
    index = tmp_path / "t.index"
    with IndexWriter.create(index, spec_of(DIM), fill_model) as writer:
        for number, row in enumerate(clustered(0.8, 2)):
            more = {"split": "val" if number % 2 else "test", "site": f"s{number // 45}"}
            add(writer, f"/g/{number}", row, label=f"l{number % 3}", group=f"g{number // 3}", metadata=more)
        writer.set_memo("tenant_column", "site")
        writer.commit()
    words = ("index", "tune", "-i", index, "--queries", "split=val", "--refine", "expand:k=1,alpha=3")
    found = document(cbir(*words, "--tenant", "s0", "--json"))
    assert found["n_queries"] == found["n_gallery"] == 22
    assert "--tenant" in cbir(*words, expect=2).stderr
