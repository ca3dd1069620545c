from __future__ import annotations

import numpy as np
import pytest
from made import items_of, search_in

from cbir.errors import ItemsError
from cbir.evaluation.luck import Luck
from cbir.evaluation.measures import MEASURES, STUDY_MEASURES
from cbir.evaluation.pairing import compare_studies
from cbir.evaluation.protocol import Study, rank_queries
from cbir.evaluation.summary import SHOWN, summarise
from cbir.evaluation.titles import title

LABELS = list("1223334441" * 6)
GALLERY = items_of(LABELS, [f"p{n // 3}" for n in range(60)])
LABEL_OF = {each.id: each.label for each in GALLERY}


def right_search(query_ids, depth):
    """The images of the query's label come first."""
    return [sorted(LABEL_OF, key=lambda hit: LABEL_OF[hit] != LABEL_OF[one])[:depth] for one in query_ids]


def majority_search(query_ids, depth):
    """The images of the most frequent label come first, whoever asks."""
    return [sorted(LABEL_OF, key=lambda hit: LABEL_OF[hit] != "3")[:depth] for _ in query_ids]


def study_of(search=right_search, k: int = 5) -> Study:
    return rank_queries(GALLERY, search, k)


def test_every_shown_measure_has_its_means_and_a_title():
    found = summarise(study_of())
    assert tuple(found.rows) == SHOWN
    assert set(found.together) == set(STUDY_MEASURES)
    for name in MEASURES | STUDY_MEASURES:
        assert title(name, 5)


def test_a_search_that_is_always_right_beats_chance_and_says_nothing():
    found = summarise(study_of())
    precision = found.rows["precision"]
    assert (precision.macro.value, precision.micro.value, precision.per_class) == (1, 1, (1, 1, 1, 1))
    assert (precision.macro.interval.low, precision.macro.interval.high) == (1, 1)
    assert precision.macro.unbeaten == ()
    assert found.rows["grade_distance"].micro.value == 0
    assert found.verdicts == ()


def test_a_search_at_random_is_said_to_be_no_result():
    found = summarise(study_of(search_in(GALLERY)))
    assert found.rows["precision"].macro.unbeaten == ("random", "majority")
    assert any(
        each.startswith("no result: macro P@5 0.") and "does not beat random (0." in each
        for each in found.verdicts
    )


def test_luck_alone_does_not_beat_random(monkeypatch):
    monkeypatch.setattr("cbir.evaluation.summary.luck", lambda _study, **_: Luck(0.03, 0.02))
    precision = summarise(study_of()).rows["precision"]
    assert precision.macro.unbeaten == ("random",)
    assert precision.micro.unbeaten == ()


def test_always_the_majority_is_no_result_however_high_its_number():
    found = summarise(study_of(majority_search))
    assert found.majority == "3"
    micro = found.rows["precision"].micro
    assert micro.value == pytest.approx(0.3)
    assert micro.value == micro.majority
    assert "majority" in micro.unbeaten
    assert "no result: micro P@5 0.3000 does not beat" in " ".join(found.verdicts)


def test_errors_beat_chance_by_being_small():
    assert summarise(study_of()).rows["grade_distance"].macro.unbeaten == ()
    worst = summarise(study_of(lambda ids, depth: [each[::-1][:depth] for each in right_search(ids, 60)]))
    assert worst.rows["grade_distance"].macro.unbeaten == ("random", "majority")


def test_measures_of_grades_are_left_out_where_labels_have_no_order():
    gallery = items_of(list("ab" * 10), [f"p{n}" for n in range(20)])
    found = summarise(rank_queries(gallery, search_in(gallery), 3))
    assert "grade_distance" not in found.rows
    assert "quadratic_kappa" not in found.together


def test_one_patient_asking_gives_numbers_without_an_interval():
    queries = items_of(["1", "2"], ["new", "new"], "q")
    by_label = {"q0000": "i0000", "q0001": "i0001"}
    search = lambda ids, depth: right_search([by_label[each] for each in ids], depth)  # noqa: E731
    found = summarise(rank_queries(queries, search, 5, gallery=GALLERY))
    assert found.rows["precision"].macro.value == 1
    assert found.rows["precision"].macro.interval is None
    assert found.verdicts[0].endswith("; with one group there is no interval")


def test_the_leak_is_what_the_group_would_have_brought():
    found = summarise(study_of(search_in(GALLERY)))
    study = study_of(search_in(GALLERY))
    careless = study.sample([MEASURES["precision"](each, 5) for each in study.leaking]).mean("macro")
    assert found.leak.with_group == pytest.approx(careless)
    assert found.leak.delta == pytest.approx(careless - found.rows["precision"].macro.value)


def test_the_same_seed_gives_the_same_numbers():
    study = study_of(search_in(GALLERY))
    assert summarise(study, seed=3) == summarise(study, seed=3)
    one, other = summarise(study, seed=3).rows["precision"], summarise(study, seed=4).rows["precision"]
    assert one.macro.interval != other.macro.interval


def test_two_systems_are_compared_on_the_queries_they_share():
    fewer = [each for each in GALLERY if each.group != "p0"]
    ids = {each.id for each in fewer}

    def search(asked, depth):
        return [[hit for hit in each if hit in ids][:depth] for each in search_in(GALLERY)(asked, 60)]

    found = compare_studies(study_of(), rank_queries(fewer, search, 5))
    assert (found.n_queries, found.n_left_out) == (57, 3)
    assert found.value == 1
    assert found.comparison.difference == pytest.approx(1 - found.other)
    assert found.comparison.p_value < 0.001


def test_different_queries_labels_or_cuts_are_not_compared():
    with pytest.raises(ItemsError, match="k = 5, the other 6"):
        compare_studies(study_of(), study_of(k=6))
    elsewhere = items_of(list("12" * 5), [f"p{n}" for n in range(10)], "z")
    with pytest.raises(ItemsError, match="none in common"):
        compare_studies(study_of(), rank_queries(elsewhere, search_in(elsewhere), 5))
    swapped = items_of([{"1": "2", "2": "1"}.get(each, each) for each in LABELS], [None] * 60)
    with pytest.raises(ItemsError, match="24 of 60 shared queries have another label"):
        compare_studies(study_of(), rank_queries(swapped, search_in(swapped), 5))


def test_per_class_means_average_to_the_macro_mean():
    row = summarise(study_of(search_in(GALLERY))).rows["precision"]
    assert np.mean(row.per_class) == pytest.approx(row.macro.value)
