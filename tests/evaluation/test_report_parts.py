"""The parts of a report against plain NumPy."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from made import items_of
from reported import PROVENANCE, gallery_of, report_on

from cbir.evaluation.protocol import rank_queries
from cbir.evaluation.report import report_document, report_of
from cbir.evaluation.report.class_bars import class_bars
from cbir.evaluation.report.confusion import confusion_of, folded
from cbir.evaluation.report.curve import curve_of
from cbir.evaluation.report.extremes import extremes_of
from cbir.evaluation.report.map2d import map_of
from cbir.evaluation.summary import summarise

LABELS = list("1223334441" * 6)
GALLERY = gallery_of(LABELS, [f"p{number // 3}" for number in range(60)])
STUDY = GALLERY.study()


def hit_labels(study, number):
    return [study.classes[code] for code in study.rankings[number].labels]


def test_the_curve_is_the_mean_of_the_classes_at_every_k():
    curve = curve_of(STUDY)
    labels = [STUDY.classes[code] for code in STUDY.labels]
    for k in range(1, 6):
        each = np.array(
            [np.mean([hit == label for hit in hit_labels(STUDY, at)[:k]]) for at, label in enumerate(labels)]
        )
        by_class = [each[[label == name for label in labels]].mean() for name in STUDY.classes]
        assert curve.values[k - 1] == pytest.approx(np.mean(by_class))
    assert len(curve.values) == len(curve.intervals) == len(curve.random) == 5


def test_the_curve_ends_at_the_numbers_of_the_summary():
    precision = summarise(STUDY, seed=7).rows["precision"].macro
    curve = curve_of(STUDY, seed=7)
    assert curve.values[-1] == precision.value
    assert curve.intervals[-1] == precision.interval
    assert curve.random[-1] == pytest.approx(precision.random)


def test_precision_divides_by_k_also_where_the_gallery_is_smaller():
    few = gallery_of(["a", "a", "b", "b"], ["p0", "p1", "p2", "p3"], noise=0.01)
    curve = curve_of(few.study(10))
    assert curve.values == pytest.approx([1 / k for k in range(1, 11)])
    assert curve.random == pytest.approx([(1 / 3)] * 3 + [1 / k for k in range(4, 11)])


def test_bars_are_the_per_class_means_with_their_chance():
    bars = class_bars(STUDY)
    row = summarise(STUDY).rows["precision"]
    assert [bar.value for bar in bars] == pytest.approx(row.per_class)
    assert [bar.n_queries for bar in bars] == [12, 12, 18, 18]
    assert np.mean([bar.random for bar in bars]) == pytest.approx(row.macro.random)
    for bar in bars:
        assert bar.interval.low <= bar.value <= bar.interval.high


def test_a_class_without_a_query_has_an_empty_bar_and_row():
    gallery = items_of(["a", "a", "b", "b", "b", "b", "c"], ["p0", "p1", "p2", "p3", "p4", "p5", "p6"])
    ids = [each.id for each in gallery]
    study = rank_queries(gallery, lambda asked, depth: [ids[:depth] for _ in asked], 2)
    bar = class_bars(study)[2]
    assert (bar.label, bar.n_queries, bar.n_gallery, bar.interval) == ("c", 0, 1, None)
    assert math.isnan(bar.value)
    assert math.isnan(bar.random)
    assert np.isnan(confusion_of(study).shares[2]).all()


def test_confusion_counts_the_labels_of_the_hits():
    confusion = confusion_of(STUDY)
    for row, name in zip(confusion.shares, STUDY.classes, strict=True):
        of_class = [at for at, code in enumerate(STUDY.labels) if STUDY.classes[code] == name]
        found = [label for at in of_class for label in hit_labels(STUDY, at)]
        assert row == pytest.approx([found.count(column) / len(found) for column in STUDY.classes])
    assert confusion.shares.sum(axis=1) == pytest.approx(np.ones(4))
    assert confusion.gallery == pytest.approx([0.2, 0.2, 0.3, 0.3])


def test_folding_keeps_every_hit():
    confusion = confusion_of(STUDY)
    few = folded(confusion, [0, 2], "2 others")
    assert few.classes == ("1", "3", "2 others")
    assert few.shares.sum(axis=1) == pytest.approx([1, 1])
    assert few.shares[1, 0] == confusion.shares[2, 0]
    assert folded(confusion, [0, 1, 2, 3], "none") is confusion


def test_extremes_are_ordered_by_precision_then_average_precision_then_id():
    names = {"item": GALLERY.item, "query": GALLERY.item, "thumbnail": str.encode}
    found = extremes_of(STUDY, **names, query_thumbnail=lambda each: b"q" + each.encode())
    keys = [(-each.precision, -each.average_precision, each.query.id) for each in found.best]
    assert keys == sorted(keys)
    worst = [(each.precision, each.average_precision) for each in found.worst]
    assert worst == sorted(worst)
    assert (len(found.best), len(found.worst)) == (4, 4)
    assert keys[-1] < (-worst[-1][0], -worst[-1][1], "")
    first = found.best[0]
    at = STUDY.query_ids.index(first.query.id)
    assert [hit.label for hit in first.hits] == hit_labels(STUDY, at)
    assert [hit.is_right for hit in first.hits] == STUDY.rankings[at].relevance.tolist()
    assert [hit.rank for hit in first.hits] == [1, 2, 3, 4, 5]
    assert first.query.picture == b"q" + first.query.id.encode()
    assert first.hits[0].picture == first.hits[0].id.encode()
    assert first.query.name == f"scan {int(first.query.id[1:])}.dcm"


@pytest.mark.parametrize(("n", "n_best", "n_worst"), [(3, 2, 1), (4, 2, 2), (9, 4, 4)])
def test_no_query_is_both_best_and_worst(n, n_best, n_worst):
    gallery = gallery_of(["a"] * n + [None, "b"], [None] * (n + 2))
    report = report_on(gallery, has_map=False)
    found = report.extremes
    assert (len(found.best), len(found.worst)) == (n_best, n_worst)
    assert not {each.query.id for each in found.best} & {each.query.id for each in found.worst}


def test_the_map_shows_labelled_items_and_keeps_neighbours():
    gallery = gallery_of(["a", "b"] * 20 + [None], [f"p{n}" for n in range(41)], noise=0.1)
    shown = map_of(gallery.study(), gallery.rows)
    assert shown.ids == tuple(each.id for each in gallery.items[:40])
    assert shown.codes.tolist() == [0, 1] * 20
    distances = np.linalg.norm(shown.points[:, np.newaxis] - shown.points, axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (shown.codes[distances.argmin(axis=1)] == shown.codes).mean() > 0.9


def test_the_same_seed_draws_the_same_map():
    one, same, other = (map_of(STUDY, GALLERY.rows, seed=seed) for seed in (3, 3, 4))
    assert (one.points == same.points).all()
    assert one.ids == other.ids


def test_a_large_gallery_is_drawn_from(monkeypatch):
    monkeypatch.setattr("cbir.evaluation.report.map2d.MAX_ITEMS", 20)
    shown = map_of(STUDY, GALLERY.rows, seed=1)
    assert (len(shown.ids), shown.n_there) == (20, 60)
    assert shown.ids == map_of(STUDY, GALLERY.rows, seed=1).ids != map_of(STUDY, GALLERY.rows, seed=2).ids
    assert [STUDY.pool.codes[STUDY.pool.places[each]] for each in shown.ids] == shown.codes.tolist()


def test_few_or_equal_embeddings_make_no_map():
    few = gallery_of(["a", "b"] * 4, [None] * 8)
    assert map_of(few.study(), few.rows) is None
    assert map_of(STUDY, lambda ids: np.full((len(ids), 4), 0.5, np.float32)) is None
    assert map_of(STUDY, lambda ids: np.ones((len(ids), 1), np.float32)) is None


def test_the_document_is_json_with_the_numbers_of_the_parts():
    report = report_on(GALLERY)
    found = json.loads(json.dumps(report_document(report), allow_nan=False))
    assert [each["k"] for each in found["curve"]] == [1, 2, 3, 4, 5]
    assert found["curve"][4]["value"] == report.curve.values[4]
    assert found["curve"][4]["interval"] == [report.curve.intervals[4].low, report.curve.intervals[4].high]
    assert [each["label"] for each in found["class_bars"]] == ["1", "2", "3", "4"]
    assert found["confusion"]["shares"] == report.confusion.shares.tolist()
    assert len(found["map"]["points"]) == found["map"]["n_items"] == 60
    best = report.extremes.best[0]
    assert found["extremes"]["best"][0]["id"] == best.query.id
    assert found["extremes"]["best"][0]["hits"][0] == {
        "rank": 1,
        "id": best.hits[0].id,
        "label": best.hits[0].label,
    }


def test_what_does_not_apply_is_null_in_the_document():
    gallery = gallery_of(["a", "a", "a", "b"], [None] * 4)
    found = json.loads(json.dumps(report_document(report_on(gallery, has_map=False)), allow_nan=False))
    assert found["map"] is None
    assert found["class_bars"][1]["value"] is None
    assert found["confusion"]["shares"][1] == [None, None]


def test_a_summary_of_another_study_is_refused():
    with pytest.raises(ValueError, match="k = 5, the summary at k = 3"):
        report_of(
            STUDY,
            summarise(GALLERY.study(3)),
            PROVENANCE,
            item=GALLERY.item,
            query=GALLERY.item,
            thumbnail=str.encode,
            query_thumbnail=str.encode,
            embeddings=None,
        )
