from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import item, items_of, search_in, sorted_ids

from cbir.errors import ItemsError
from cbir.evaluation.protocol import rank_queries

GALLERY = items_of(list("abcabcabca") * 4, [f"p{n // 3}" for n in range(40)])


def slow_codes(query, gallery, k, classes, *, leaves_group=True):
    """The definition, spelled out: take the group away, then search, then cut."""
    eligible = [
        each
        for each in gallery
        if each.label is not None
        and each.id != query.id
        and not (leaves_group and query.group is not None and each.group == query.group)
    ]
    by_id = {each.id: each for each in eligible}
    kept = [each for each in sorted_ids(query.id, gallery) if each in by_id][:k]
    counts = Counter(each.label for each in eligible)
    return [classes.index(by_id[each].label) for each in kept], [counts[label] for label in classes]


labels = st.sampled_from(["a", "b", "c", None])
groups = st.sampled_from(["p", "q", "r", "s", None])


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(labels, groups), min_size=1, max_size=25), k=st.integers(1, 30))
def test_the_query_and_its_group_leave_the_gallery_before_the_cut(rows, k):
    gallery = items_of(*zip(*rows, strict=True))
    try:
        study = rank_queries(gallery, search_in(gallery), k)
    except ItemsError:
        return
    by_id = {each.id: each for each in gallery}
    for query_id, ranking, leaking in zip(study.query_ids, study.rankings, study.leaking, strict=True):
        codes, counts = slow_codes(by_id[query_id], gallery, k, study.classes)
        assert (ranking.labels.tolist(), ranking.eligible.tolist()) == (codes, counts)
        codes, counts = slow_codes(by_id[query_id], gallery, k, study.classes, leaves_group=False)
        assert (leaking.labels.tolist(), leaking.eligible.tolist()) == (codes, counts)


def test_every_labelled_query_is_asked_and_groups_keep_their_queries_together():
    study = rank_queries(GALLERY, search_in(GALLERY), 5)
    assert study.query_ids == tuple(each.id for each in GALLERY)
    assert study.groups.tolist() == [n // 3 for n in range(40)]
    assert (study.classes, study.is_ordinal, study.notes) == (("a", "b", "c"), False, ())
    assert study.gallery.tolist() == [16, 12, 12]


def test_other_ids_change_nothing():
    renamed = [item(n, each.label, f"other {each.group}", "z") for n, each in enumerate(GALLERY)]

    def search(query_ids, depth):
        return [[f"z{hit[1:]}" for hit in sorted_ids(f"i{each[1:]}", GALLERY)[:depth]] for each in query_ids]

    one, other = rank_queries(GALLERY, search_in(GALLERY), 5), rank_queries(renamed, search, 5)
    assert [each.labels.tolist() for each in one.rankings] == [
        each.labels.tolist() for each in other.rankings
    ]
    assert one.groups.tolist() == other.groups.tolist()


def test_grades_are_in_their_order():
    gallery = items_of(["10", "2", "2", "10"], list("pqrs"))
    study = rank_queries(gallery, search_in(gallery), 2)
    assert (study.classes, study.is_ordinal) == (("2", "10"), True)


def test_items_without_a_label_neither_ask_nor_take_a_place():
    gallery = items_of([None] * 30 + ["a", "b"] * 5, [f"p{n}" for n in range(40)])
    study = rank_queries(gallery, search_in(gallery), 5)
    assert len(study.rankings) == 10
    assert {each.n_hits for each in study.rankings} == {5}
    assert study.notes[:2] == (
        "30 of 40 queries have no label and were not asked",
        "30 of 40 items have no label and could not be found",
    )


def test_a_query_whose_label_is_in_its_own_group_alone_is_left_out_and_said_so():
    gallery = items_of(["a", "b", "a", "b", "rare", "rare"], ["p", "p", "q", "q", "r", "r"])
    study = rank_queries(gallery, search_in(gallery), 2)
    assert len(study.rankings) == 4
    assert any(
        note == "queries left out: 2 of label 'rare', which only their own group has" for note in study.notes
    )
    assert any("no query is of 'rare': the macro mean is over the other 2 classes" in n for n in study.notes)


def test_a_query_of_a_label_that_the_gallery_lacks_is_left_out_and_said_so():
    queries = items_of(["a", "6"], ["x", "y"], "q")
    study = rank_queries(queries, search_in(GALLERY), 5, gallery=GALLERY)
    assert study.query_ids == ("q0000",)
    assert "queries left out: 1 of label '6', which the gallery lacks" in study.notes


def test_many_labels_that_nobody_could_find_are_one_note():
    gallery = [*GALLERY, *items_of([f"alone {n}" for n in range(8)], [f"x{n}" for n in range(8)], "x")]
    study = rank_queries(gallery, search_in(gallery), 3)
    left, empty = study.notes
    named = "'alone 0', 'alone 1', 'alone 2', 'alone 3', 'alone 4' and 3 more"
    assert left == f"queries left out: 8 of label {named}, which only their own group has"
    assert empty == f"no query is of {named}: the macro mean is over the other 3 classes"


def test_fewer_eligible_than_k_is_said():
    gallery = items_of(["a", "b", "a", "b"], list("pqrs"))
    study = rank_queries(gallery, search_in(gallery), 10)
    assert {each.n_hits for each in study.rankings} == {3}
    assert "4 queries could find fewer than 10 items; P@10 divides by 10 all the same" in study.notes


def test_the_best_that_could_be_reached_is_said():
    study = rank_queries(GALLERY, search_in(GALLERY), 15)
    (note,) = study.notes
    assert note.startswith("for 28 queries there are fewer than 15 items of their label: no search")


def test_without_groups_it_is_said_what_that_means():
    gallery = items_of(["a", "b"] * 6, [None] * 12)
    study = rank_queries(gallery, search_in(gallery), 3)
    assert any(note.startswith("no query has a group: only the query itself") for note in study.notes)
    assert len(set(study.groups.tolist())) == 12


def test_queries_that_share_patients_with_the_gallery_are_refused_unless_asked_for():
    queries = items_of(["a", "b"], ["p0", "new"], "q")
    with pytest.raises(ItemsError, match=r"1 of 2 queries have their group \(1 group in all\)"):
        rank_queries(queries, search_in(GALLERY), 5, gallery=GALLERY)
    study = rank_queries(queries, search_in(GALLERY), 5, gallery=GALLERY, may_share_groups=True)
    assert [each.n_eligible for each in study.rankings] == [37, 40]


def test_a_query_that_is_itself_in_the_gallery_is_refused_too():
    with pytest.raises(ItemsError, match="themselves in the gallery"):
        rank_queries([item(0, "a", None)], search_in(GALLERY), 5, gallery=GALLERY)


@pytest.mark.parametrize(
    ("labels", "groups", "message"),
    [
        ("aa", "pq", "have 1 different labels"),
        ([None, None], "pq", "have 0 different labels"),
        ("ab", "pq", "None of 2 queries can be answered"),
    ],
)
def test_what_nobody_can_measure_is_refused(labels, groups, message):
    gallery = items_of(labels, list(groups))
    with pytest.raises(ItemsError, match=message):
        rank_queries(gallery, search_in(gallery), 5)


def test_nothing_is_refused_clearly():
    with pytest.raises(ItemsError, match="0 items have 0 different labels"):
        rank_queries([], search_in([]), 5)


def test_a_hit_from_elsewhere_is_an_error():
    with pytest.raises(ValueError, match="'elsewhere', which is not among the gallery's 40 items"):
        rank_queries(GALLERY, lambda ids, _: [["elsewhere"]] * len(ids), 5)


def test_k_below_one_is_refused():
    with pytest.raises(ValueError, match="k is 0"):
        rank_queries(GALLERY, search_in(GALLERY), 0)


def test_the_leak_is_visible_where_patients_look_alike():
    """Every patient's images find each other first: without the exclusion all is right, with it none is."""
    gallery = items_of(["a", "a", "b", "b"] * 5, [f"p{n // 2}" for n in range(20)])
    by_id = {each.id: each for each in gallery}

    def alike(query_id):
        return sorted(by_id, key=lambda hit: by_id[hit].group != by_id[query_id].group)

    def search(query_ids, depth):
        return [alike(query_id)[:depth] for query_id in query_ids]

    study = rank_queries(gallery, search, 1)
    assert np.mean([each.relevance[0] for each in study.leaking]) == 1
    assert np.mean([each.relevance[0] for each in study.rankings]) < 1
