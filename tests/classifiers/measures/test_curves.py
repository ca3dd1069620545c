from __future__ import annotations

import warnings

import numpy as np
import pytest
from posteriors import judged
from sklearn import metrics

from cbir.evaluation.measures.area import area_under_roc
from classifiers.evaluation.curves import decision_curve, distribution_of, reliability_of, roc_of
from classifiers.measures import MEASURES, Draws


def made(decimals: int = 15):
    found = judged(200, 2, knows=1.0)
    return np.round(found.posteriors[:, 1], decimals), found.labels == 1


@pytest.mark.parametrize("decimals", [1, 15])
def test_the_roc_is_that_of_scikit_learn_and_its_area_exact(decimals):
    scores, positive = made(decimals)
    found = roc_of(scores, positive)
    false, true, thresholds = metrics.roc_curve(positive, scores, drop_intermediate=False)
    np.testing.assert_allclose(found.false_rates, false)
    np.testing.assert_allclose(found.true_rates, true)
    np.testing.assert_allclose(found.thresholds, thresholds)
    area = area_under_roc(scores, positive, np.ones((1, len(scores))))[0]
    assert np.trapezoid(found.true_rates, found.false_rates) == pytest.approx(area, abs=1e-14)
    assert area == pytest.approx(metrics.roc_auc_score(positive, scores), abs=1e-14)


def test_scores_that_are_all_equal_are_one_step():
    found = roc_of(np.full(4, 0.5), np.array([True, False, True, False]))
    assert found.false_rates.tolist() == found.true_rates.tolist() == [0, 1]


@pytest.mark.parametrize("decimals", [2, 15])
def test_the_net_benefit_is_that_of_dcurves(decimals):
    import pandas as pd

    scores, positive = made(decimals)
    found = decision_curve(scores, positive)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from dcurves import dca

        frame = pd.DataFrame({"it": positive.astype(int), "model": scores})
        theirs = dca(data=frame, outcome="it", modelnames=["model"], thresholds=list(found.thresholds))
    for name, mine in (("model", found.model), ("all", found.everybody)):
        expected = theirs[theirs["model"] == name].sort_values("threshold")["net_benefit"]
        np.testing.assert_allclose(mine, expected.to_numpy(), atol=1e-12)
    assert not theirs[theirs["model"] == "none"]["net_benefit"].any()


def test_net_benefit_worked_out_by_hand():
    # At 1/2 the odds are 1: of four images one true and one false alarm cancel.
    found = decision_curve(np.array([0.9, 0.6, 0.5, 0.1]), np.array([True, False, False, True]))
    at = found.thresholds.tolist().index(0.5)
    assert found.model[at] == (1 - 2) / 4
    assert found.everybody[at] == 0


def test_the_gaps_of_the_reliability_curve_are_the_calibration_error():
    found = judged(200, 4, knows=1.0)
    bins = reliability_of(found.posteriors, found.labels)
    assert sum(each.n_images for each in bins) == 200
    error = sum(each.n_images * abs(each.right - each.probability) for each in bins) / 200
    once = Draws(found.labels, found.posteriors, np.ones((1, 200)))
    assert error == pytest.approx(MEASURES["ece"](once)[0])


def test_a_distribution_shares_out_every_image():
    found = distribution_of(np.array([0.0, 0.04, 0.05, 1.0, 0.5]), np.array([True, True, True, True, False]))
    assert found.own[[0, 1, 19]].tolist() == [0.5, 0.25, 0.25]
    assert found.others[10] == found.others.sum() == 1
    assert np.isnan(distribution_of(np.array([0.5]), np.array([True])).others).all()
