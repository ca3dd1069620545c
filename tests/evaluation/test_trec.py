"""Runs and qrels of TREC: out and in again, refused where malformed, and judged with and without an index."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made import item, items_of, search_in, sorted_ids

from cbir.errors import ItemsError
from cbir.evaluation.measures import MEASURES
from cbir.evaluation.protocol import Study, rank_queries
from cbir.evaluation.summary import summarise
from cbir.evaluation.trec import (
    check_run,
    judge,
    notes_of_run,
    read_qrels,
    read_run,
    search_of_run,
    write_qrels,
    write_run,
)

LABELS = ["a", "b", "c", "a", "b", None] * 6
GROUPS = [f"p{number // 4}" for number in range(36)]
ITEMS = items_of(LABELS, GROUPS)
ALONE = [each if number % 3 else replace(each, group=None) for number, each in enumerate(ITEMS)]


def study_of(items=ITEMS, k: int = 5) -> Study:
    return rank_queries(items, search_in(items), k)


@pytest.fixture
def files(tmp_path):
    return tmp_path / "run.txt", tmp_path / "qrels.txt"


def test_a_run_comes_back_as_it_was_found(files):
    study = study_of()
    write_run(study, files[0])
    ids = list(study.pool.places)
    assert read_run(files[0]) == {
        query: tuple(ids[place] for place in hits)
        for query, hits in zip(study.query_ids, study.hits, strict=True)
    }


def test_a_line_of_a_run_and_of_qrels(files):
    study = study_of(k=2)
    write_run(study, files[0], tag="mine")
    write_qrels(study, files[1])
    first, second = (line.split(" ") for line in files[0].read_text().splitlines()[:2])
    query, ids = study.query_ids[0], list(study.pool.places)
    assert first == [query, "Q0", ids[study.hits[0][0]], "1", "2", "mine"]
    assert second == [query, "Q0", ids[study.hits[0][1]], "2", "1", "mine"]
    assert files[1].read_text().splitlines()[0].split(" ") == ["i0000", "0", "i0006", "1"]


@pytest.mark.parametrize("items", [ITEMS, ALONE])
def test_relevant_is_every_item_of_the_label_but_the_query_and_its_group(items, files):
    write_qrels(study_of(items), files[1])
    expected = {
        query.id: {
            each.id: 1
            for each in items
            if each.label == query.label
            and each.id != query.id
            and (query.group is None or each.group != query.group)
        }
        for query in items
        if query.label is not None
    }
    assert read_qrels(files[1]) == expected


def test_queries_of_elsewhere_have_their_group_left_out_of_the_qrels(files):
    queries = items_of(["a", "b"], ["p0", "p1"], name="q")
    study = rank_queries(
        queries,
        lambda ids, depth: [sorted_ids(each, ITEMS)[:depth] for each in ids],
        5,
        gallery=ITEMS,
        may_share_groups=True,
    )
    with pytest.raises(ValueError, match="Give write_qrels the queries"):
        write_qrels(study, files[1])
    assert not list(files[1].parent.iterdir())
    write_qrels(study, files[1], queries=queries)
    relevant = read_qrels(files[1])
    assert {len(relevant["q0000"]), study.rankings[0].n_relevant} == {10}
    assert not {"i0000", "i0003"} & relevant["q0000"].keys()


def test_a_written_study_judged_alone_has_the_same_numbers(files):
    study = study_of()
    write_run(study, files[0])
    write_qrels(study, files[1])
    judged = judge(read_run(files[0]), read_qrels(files[1]), 5)
    summary = summarise(study)
    for name in ("precision", "hit", "recall", "average_precision", "ndcg", "reciprocal_rank"):
        assert judged.rows[name].value == pytest.approx(summary.rows[name].micro.value)
    assert judged.n_queries == len(study.query_ids)
    assert judged.rows["precision"].interval is not None
    assert "no groups are known" in judged.notes[0]


def test_another_systems_run_is_judged_by_the_whole_protocol(files):
    """The run is as deep as the gallery, with the queries and their groups in it."""
    whole = {each.id: tuple(sorted_ids(each.id, ITEMS)) for each in ITEMS}
    lines = (
        f"{query} Q0 {found} {rank} {-rank}e-3 theirs\n"
        for query, items in whole.items()
        for rank, found in enumerate(items)
    )
    files[0].write_text("".join(lines))
    run = read_run(files[0])
    check_run(run, whole, query_ids=whole)
    theirs, ours = rank_queries(ITEMS, search_of_run(run), 5), study_of()
    assert all(np.array_equal(one, two) for one, two in zip(theirs.hits, ours.hits, strict=True))
    assert notes_of_run(theirs, run) == (f"6 of the run's {len(ITEMS)} queries were not asked",)


def test_a_query_that_the_run_lacks_counts_zero_and_is_counted():
    run = {each.id: tuple(sorted_ids(each.id, ITEMS)) for each in ITEMS[1:]}
    run["i0001"] = run["i0001"][:3]
    study = rank_queries(ITEMS, search_of_run(run), 5)
    at = study.query_ids.index("i0000")
    for name in ("precision", "hit", "recall", "average_precision", "ndcg", "reciprocal_rank"):
        assert MEASURES[name](study.rankings[at], 5) == 0
    missing, short, _ = notes_of_run(study, run)
    assert missing.startswith("1 of 30 queries are not in the run")
    assert short.startswith("for 1 of 30 queries the run ends before 5")
    assert summarise(study).rows["vote_accuracy"].n_queries == 29


def test_items_that_may_not_be_found_leave_before_the_cut():
    run = {"q": ("x", "y", "z")}
    assert search_of_run(run, among={"y", "z"})(["q", "other"], 1) == [["y"], []]


def test_a_run_over_other_items_or_queries_is_refused():
    with pytest.raises(ItemsError, match="found 2 items that are not among the gallery's 1, for example b"):
        check_run({"q": ("a", "b", "c")}, ["a"])
    with pytest.raises(ItemsError, match="None of the run's 1 queries is among the 2"):
        check_run({"q": ("a",)}, ["a"], query_ids=["r", "s"])


def test_equal_scores_go_to_the_greater_id_and_the_rank_column_is_ignored(files):
    files[0].write_text(
        "q Q0 a 1 0.5 t\nq Q0 é 2 0.5 t\n\nq Q0 b 3 0.5 t\nq\tQ0\tz 9 7e-1 t\nq Q0 y 0 -inf t\n"
    )
    assert read_run(files[0]) == {"q": ("z", "é", "b", "a", "y")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q Q0 a 1 0.5 t\nq Q0 a 2 0.4 t\n", "line 2: the item a is there twice for query q"),
        ("q Q0 a 1 high t\n", "line 1: the score 'high' is not a number"),
        ("q Q0 a 1 nan t\n", "line 1: the score 'nan' is not a number"),
        ("q Q0 a 1 1_0 t\n", "line 1: the score '1_0' is not a number"),
        ("\nq Q0 a 1 0.5\n", "line 2: 5 fields where TREC has 6"),
        ("q Q0 a b 1 0.5 t\n", "line 1: 7 fields where TREC has 6"),
        ("\n \n", "is empty"),
        ("", "is empty"),
    ],
)
def test_a_malformed_run_is_refused_by_line(text, message, files):
    files[0].write_text(text)
    with pytest.raises(ItemsError, match=message) as caught:
        read_run(files[0])
    assert str(files[0]) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q 0 a 1\nq 0 a 0\n", "line 2: the item a is there twice for query q"),
        ("q 0 a 0.5\n", "line 1: the relevance '0.5' is not a whole number"),
        ("q 0 a\n", "line 1: 3 fields where TREC has 4"),
        ("", "is empty"),
    ],
)
def test_malformed_qrels_are_refused_by_line(text, message, files):
    files[1].write_text(text)
    with pytest.raises(ItemsError, match=message):
        read_qrels(files[1])


def test_files_that_are_no_text_or_not_there_are_refused(files, tmp_path):
    files[0].write_bytes(b"\x1f\x8b\x08\x00\xff\xfe")
    with pytest.raises(ItemsError, match="is not UTF-8 text"):
        read_run(files[0])
    for path in (tmp_path, files[1]):
        with pytest.raises(ItemsError, match="can't be read"):
            read_run(path)


def test_a_file_that_can_not_be_written_leaves_what_was_there(files, tmp_path):
    files[0].write_text("before")
    spaced = [item(0, "a", None), item(1, "b", None), item(2, "a", None), item(3, "b", None)]
    spaced[1] = replace(spaced[1], id="two words")
    study = rank_queries(spaced, search_in(spaced), 2)
    with pytest.raises(ItemsError, match="'two words' is not one word"):
        write_run(study, files[0])
    assert [each.name for each in tmp_path.iterdir()] == ["run.txt"]
    assert files[0].read_text() == "before"
    with pytest.raises(ItemsError, match="can't be written"):
        write_run(study_of(), files[0] / "below")
    with pytest.raises(ValueError, match="not one word"):
        write_run(study_of(), files[0], tag="")


def test_judging_alone_counts_who_is_missing():
    run = {"one": ("a", "b", "c"), "extra": ("a",), "short": ("b",)}
    qrels = {"one": {"b": 2, "x": -1}, "lacking": {"a": 1}, "nothing": {"a": 0}, "short": {"b": 1, "c": 1}}
    judged = judge(run, qrels, 2)
    assert (judged.n_queries, judged.n_missing, judged.n_unanswerable, judged.n_unjudged) == (3, 1, 1, 1)
    assert judged.rows["precision"].value == pytest.approx((0.5 + 0 + 0.5) / 3)
    assert judged.rows["recall"].value == pytest.approx((1 + 0 + 0.5) / 3)
    assert judged.rows["reciprocal_rank"].value == pytest.approx((0.5 + 0 + 1) / 3)
    assert (judged.rows["r_precision"].value, judged.rows["r_precision"].n_queries) == (0, 2)
    assert len(judged.notes) == 6


def test_one_query_has_no_interval_and_no_common_query_is_an_error():
    assert judge({"q": ("a",)}, {"q": {"a": 1}}, 1).rows["hit"].interval is None
    with pytest.raises(ItemsError, match="Give a run and qrels of the same queries"):
        judge({"q": ("a",)}, {"r": {"a": 1}}, 1)
    with pytest.raises(ValueError, match="at least 1"):
        judge({"q": ("a",)}, {"q": {"a": 1}}, 0)
