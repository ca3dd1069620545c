from __future__ import annotations

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from made import items_of, search_in

from cbir.evaluation.luck import Luck, luck
from cbir.evaluation.protocol import rank_queries

LABELS = list("112233" * 8)
GALLERY = items_of(LABELS, [f"p{n // 2}" for n in range(48)])
LABEL_OF = {each.id: each.label for each in GALLERY}


def right_search(query_ids, depth):
    return [sorted(LABEL_OF, key=lambda hit: LABEL_OF[hit] != LABEL_OF[one])[:depth] for one in query_ids]


def test_what_is_right_is_no_luck():
    assert luck(rank_queries(GALLERY, right_search, 5), n_deals=199) == Luck(1 / 200, 1 / 200)


def test_what_everybody_finds_is_luck():
    """The five images that everybody finds are of the frequent label, as any five may be."""
    gallery = items_of("1112" * 12, [f"p{n}" for n in range(48)])
    hubs = [each.id for each in gallery if each.label == "1"] + [each.id for each in gallery]
    study = rank_queries(gallery, lambda ids, depth: [list(dict.fromkeys(hubs))[:depth] for _ in ids], 5)
    assert np.mean([each.relevance.mean() for each in study.rankings]) == 0.75
    assert luck(study, n_deals=199).micro > 0.1


def test_few_patients_are_dealt_every_way_in_the_long_run():
    labels = {"p": "ab", "q": "aa", "r": "bb"}
    gallery = items_of("".join(labels.values()), [group for group in labels for _ in range(2)])
    study = rank_queries(gallery, search_in(gallery), 2)
    place = {each.id: number for number, each in enumerate(gallery)}
    assert [place[query_id] for query_id in study.query_ids] == study.own.tolist()

    def precision(dealt: str) -> float:
        values = [
            np.mean([dealt[hit] == dealt[own] for hit in hits])
            for own, hits in zip(study.own, study.hits, strict=True)
        ]
        by_label = {
            label: [value for value, own in zip(values, study.own, strict=True) if dealt[own] == label]
            for label in "ab"
        }
        return float(np.mean([np.mean(each) for each in by_label.values()]))

    every = [precision("".join(order)) for order in permutations(labels.values())]
    expected = np.mean(np.array(every) >= precision("".join(labels.values())) - 1e-12)
    assert luck(study, n_deals=3000).macro == pytest.approx(expected, abs=0.03)


def test_noise_is_called_no_luck_as_seldom_as_promised():
    found = Counter()
    for seed in range(150):
        rows = np.random.default_rng(seed).normal(size=(48, 32))
        scores = rows @ rows.T
        numbers = {each.id: number for number, each in enumerate(GALLERY)}

        def search(query_ids, depth, scores=scores, numbers=numbers):
            return [
                [GALLERY[hit].id for hit in np.argsort(-scores[numbers[one]])[:depth]] for one in query_ids
            ]

        found[luck(rank_queries(GALLERY, search, 5), n_deals=199).macro <= 0.05] += 1
    assert found[True] / 150 == pytest.approx(0.05, abs=0.045)


def test_patients_who_all_differ_in_size_can_not_be_dealt():
    gallery = items_of("ababab", ["p", "q", "q", "r", "r", "r"])
    assert luck(rank_queries(gallery, search_in(gallery), 2)) is None


def test_queries_of_elsewhere_keep_their_labels():
    queries = items_of("123" * 4, [f"q{n}" for n in range(12)], "q")
    wanted = {each.id: each.label for each in queries}

    def search(query_ids, depth):
        return [sorted(LABEL_OF, key=lambda hit: LABEL_OF[hit] != wanted[one])[:depth] for one in query_ids]

    study = rank_queries(queries, search, 5, gallery=GALLERY)
    assert set(study.own.tolist()) == {-1}
    assert luck(study, n_deals=199) == Luck(1 / 200, 1 / 200)


def test_a_query_of_elsewhere_may_be_in_the_gallery_without_a_label():
    gallery = [*GALLERY[1:], items_of([None], ["p0"])[0]]
    queries = GALLERY[:4]
    study = rank_queries(queries, search_in(gallery), 5, gallery=gallery, may_share_groups=True)
    assert 0 < luck(study, n_deals=99).macro <= 1
