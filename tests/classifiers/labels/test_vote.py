"""The distance-weighted vote."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_hits import evidence_of, hits_of

from classifiers.vote import Ballots, fit_vote, prior_of, vote

CLASSES = ("a", "b", "c")
EVEN = np.full(3, 1 / 3)
scores = st.floats(-1, 1)
said = st.lists(st.tuples(scores, st.sampled_from([*CLASSES, "unheard", None])), max_size=12)


def one(hits, temperature=0.1, prior=EVEN):
    return vote(Ballots.of([hits], CLASSES), temperature, prior)[0]


def test_a_vote_by_hand():
    # Weights 1 : e^-1 of two hits, and one hit's worth of the prior beside them.
    found = one(hits_of((0.9, "a"), (0.8, "b"), (0.7, None)))
    nearest = 2 / (1 + math.exp(-1))
    expected = [nearest + 1 / 3, 2 - nearest + 1 / 3, 1 / 3]
    np.testing.assert_allclose(found, np.array(expected) / 3, rtol=1e-9)


def test_hits_without_a_label_and_with_an_unknown_one_say_nothing():
    plain = one(hits_of((0.9, "a"), (0.7, "b")))
    np.testing.assert_array_equal(one(hits_of((0.95, None), (0.9, "a"), (0.8, "new"), (0.7, "b"))), plain)


def test_without_a_voter_the_prior_stands_alone():
    prior = prior_of({"a": 7, "b": 0, "c": 1})
    np.testing.assert_allclose(prior, [8 / 11, 1 / 11, 2 / 11])
    np.testing.assert_allclose(one([], prior=prior), prior)
    np.testing.assert_allclose(one(hits_of((0.9, None)), prior=prior), prior)


def test_a_hot_vote_counts_heads_and_a_cold_one_asks_the_nearest():
    hits = hits_of((0.9, "a"), (0.8, "b"), (0.7, "b"))
    assert one(hits, temperature=1000).argmax() == 1
    np.testing.assert_allclose(one(hits, temperature=1e-4), [(3 + 1 / 3) / 4, 1 / 12, 1 / 12])


@given(said=said, temperature=st.floats(1e-3, 10))
def test_every_label_has_a_probability_whatever_the_hits(said, temperature):
    hits = hits_of(*said)
    found = one(hits, temperature)
    assert found.sum() == pytest.approx(1)
    assert (found > 0).all()
    np.testing.assert_allclose(one(hits[::-1], temperature), found)


@given(queries=st.lists(said, min_size=1, max_size=5))
def test_queries_do_not_disturb_one_another(queries):
    together = vote(Ballots.of([hits_of(*each) for each in queries], CLASSES), 0.1, EVEN)
    for row, each in zip(together, queries, strict=True):
        np.testing.assert_allclose(row, one(hits_of(*each)))


def test_the_fitted_temperature_is_the_best_there_is():
    evidence = evidence_of(100, seed=0)
    prior = np.array([0.5, 0.5])

    def loss(temperature, prior_hits):
        found = vote(evidence.ballots, temperature, prior, prior_hits)
        return -np.log(found[np.arange(len(evidence)), evidence.codes]).mean()

    fitted, prior_hits = fit_vote(evidence.ballots, evidence.codes, prior)
    others = [loss(each, hits) for each in np.geomspace(1e-3, 10, 60) for hits in (0.3, 1, 3, 10, 30, 100)]
    assert loss(fitted, prior_hits) <= min(*others, *(loss(each, prior_hits) for each in (fitted * 0.99, 2)))
    assert (fitted, prior_hits) == fit_vote(evidence.ballots, evidence.codes, prior)


def test_hits_that_say_nothing_leave_the_prior():
    evidence = evidence_of(150, seed=3, signal=1e-9)
    prior = np.array([0.8, 0.2])
    codes = np.where(np.random.default_rng(0).random(len(evidence)) < 0.8, 0, 1)
    temperature, prior_hits = fit_vote(evidence.ballots, codes, prior)
    found = vote(evidence.ballots, temperature, prior, prior_hits)
    assert prior_hits > 20
    np.testing.assert_allclose(found.mean(axis=0), prior, atol=0.06)


def test_the_prior_weighs_as_many_hits_as_it_is_given():
    # Two hits of "a", and six hits' worth of the prior.
    found = vote(Ballots.of([hits_of((0.9, "a"), (0.9, "a"))], CLASSES), 0.1, np.array([0.5, 0.25, 0.25]), 6)
    np.testing.assert_allclose(found[0], [5 / 8, 1.5 / 8, 1.5 / 8])
