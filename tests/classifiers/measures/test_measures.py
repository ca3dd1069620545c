"""Each measure against values worked out by hand, and against scikit-learn, netcal and torchmetrics."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from posteriors import answering, draws_of, judged
from sklearn import metrics

from classifiers.measures import CLASS_MEASURES, LOWER_IS_BETTER, MEASURES, ORDINAL, SIX
from classifiers.measures.chance import CHANCES, CLASS_CHANCES
from classifiers.measures.titles import TITLES

# Labels 0 0 0 1 1 2, answers 0 0 1 1 2 2.
HAND = answering([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 2], 3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accuracy", 4 / 6),
        ("macro_precision", (1 + 1 / 2 + 1 / 2) / 3),
        ("macro_sensitivity", (2 / 3 + 1 / 2 + 1) / 3),
        ("macro_specificity", (1 + 3 / 4 + 4 / 5) / 3),
        ("macro_f1", (4 / 5 + 1 / 2 + 2 / 3) / 3),
        # (4·6 − (3·2 + 2·2 + 1·2)) / √((36 − 14)(36 − 12))
        ("mcc", 12 / np.sqrt(22 * 24)),
        # Observed Σ d² = 2; expected Σ r c d² / 6 = (3·2 + 3·2·4 + 2·2 + 2·2 + 1·2·4 + 1·2) / 6 = 8
        ("quadratic_kappa", 1 - 2 / 8),
        ("adjacent_errors", 2 / 6),
        ("far_errors", 0),
        ("ece", 1 - 4 / 6),
        ("brier", 2 * 2 / 6),
        ("log_loss", 2 * -np.log(np.finfo(float).eps) / 6),
    ],
)
def test_values_worked_out_by_hand(name, value):
    assert MEASURES[name](HAND) == pytest.approx([value], abs=1e-12)


def test_probabilities_worked_out_by_hand():
    # Of class 1: positives .5, .9; negatives .5, .1. Pairs: tie, win, win, win.
    draws = draws_of([1, 1, 0, 0], [[0.5, 0.5], [0.1, 0.9], [0.5, 0.5], [0.9, 0.1]])
    assert CLASS_MEASURES["auc"](draws).tolist() == [[3.5 / 4, 3.5 / 4]]
    assert MEASURES["brier"](draws) == pytest.approx([(0.5 + 0.02 + 0.5 + 0.02) / 4])
    assert MEASURES["log_loss"](draws) == pytest.approx([-(2 * np.log(0.5) + 2 * np.log(0.9)) / 4])
    # Answers at .5: class 0 twice, one of two right; at .9 both right.
    assert MEASURES["ece"](draws) == pytest.approx([(abs(1 - 1.0) + abs(2 - 1.8)) / 4])


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("knows", [0.0, 1.5])
def test_the_values_are_those_of_scikit_learn(n_classes, knows):
    made = judged(150, n_classes, knows=knows)
    posteriors = np.round(made.posteriors, 1 if n_classes == 2 else 15)  # ties, too
    draws = draws_of(made.labels, posteriors)
    y, p, a = made.labels, posteriors, posteriors.argmax(axis=1)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(y, a, zero_division=0)
    aucs = [metrics.roc_auc_score(y == code, p[:, code]) for code in range(n_classes)]
    for name, expected in (("precision", precision), ("sensitivity", recall), ("f1", f1), ("auc", aucs)):
        np.testing.assert_allclose(CLASS_MEASURES[name](draws)[0], expected, atol=1e-12)
    expected = {
        "accuracy": metrics.accuracy_score(y, a),
        "macro_f1": metrics.f1_score(y, a, average="macro", zero_division=0),
        "macro_auc": np.mean(aucs),
        "macro_sensitivity": metrics.balanced_accuracy_score(y, a),
        "mcc": metrics.matthews_corrcoef(y, a),
        "quadratic_kappa": metrics.cohen_kappa_score(y, a, weights="quadratic"),
        "log_loss": metrics.log_loss(y, p),
        "brier": metrics.brier_score_loss(np.eye(n_classes)[y], p, scale_by_half=False),
    }
    for name, value in expected.items():
        assert MEASURES[name](draws)[0] == pytest.approx(value, abs=1e-12), name


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_calibration_error_is_that_of_netcal(n_classes):
    made = judged(400, n_classes, knows=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from netcal.metrics import ECE

        sure = made.posteriors.max(axis=1)
        right = made.posteriors.argmax(axis=1) == made.labels
        expected = ECE(bins=15).measure(sure, right.astype(int))
        of_classes = ECE(bins=15).measure(made.posteriors, made.labels) if n_classes > 2 else expected
    # Of two classes netcal spreads the bins over [0, 1] as we do; no answer lies below 1/2.
    value = MEASURES["ece"](draws_of(made.labels, made.posteriors))[0]
    if n_classes > 2:
        assert value == pytest.approx(of_classes, abs=1e-12)
    by_bins = np.ceil(sure * 15)
    naive = sum(abs((right - sure)[by_bins == each].sum()) for each in np.unique(by_bins)) / len(sure)
    assert value == pytest.approx(naive, abs=1e-12)


def test_values_are_those_of_torchmetrics():
    import torch
    from torchmetrics.functional import classification as tm

    made = judged(200, 4, knows=1.0)
    draws = draws_of(made.labels, made.posteriors)
    p, y = torch.tensor(made.posteriors), torch.tensor(made.labels)
    for name, value in (
        ("macro_specificity", tm.multiclass_specificity(p, y, 4, average="macro")),
        ("macro_auc", tm.multiclass_auroc(p, y, 4, average="macro")),
        ("ece", tm.multiclass_calibration_error(p, y, 4, n_bins=15)),
        ("mcc", tm.multiclass_matthews_corrcoef(p, y, 4)),
    ):
        assert MEASURES[name](draws)[0] == pytest.approx(float(value), abs=1e-6), name


@pytest.mark.parametrize("name", MEASURES)
def test_an_image_that_counts_twice_is_as_two_images(name):
    made = judged(60, 4)
    weights = np.random.default_rng(3).integers(0, 3, (5, 60)).astype(float)
    together = MEASURES[name](draws_of(made.labels, made.posteriors, weights))
    for found, row in zip(together, weights.astype(int), strict=True):
        rows = np.repeat(np.arange(60), row)
        assert found == pytest.approx(MEASURES[name](draws_of(made.labels[rows], made.posteriors[rows]))[0])


def test_a_draw_without_a_class_takes_the_mean_over_the_others():
    draws = draws_of([0, 1, 2], np.eye(3), [[1, 1, 0], [0, 2, 0]])
    assert MEASURES["macro_f1"](draws).tolist() == [1, 1]
    assert MEASURES["macro_sensitivity"](draws).tolist() == [1, 1]
    auc = MEASURES["macro_auc"](draws)
    assert auc[0] == 1
    assert np.isnan(auc[1])


def test_one_answer_for_all_agrees_by_chance():
    draws = answering([0, 1, 2, 2], [2, 2, 2, 2], 3)
    assert MEASURES["mcc"](draws) == [0]
    assert MEASURES["quadratic_kappa"](draws) == [0]
    assert MEASURES["macro_auc"](draws) == [0.5]
    assert MEASURES["macro_precision"](draws) == pytest.approx([0.5 / 3])


def test_the_tables_of_measures_fit_each_other():
    assert set(MEASURES) - set(CHANCES) == {"ece"}
    assert set(CLASS_MEASURES) == set(CLASS_CHANCES)
    assert set(TITLES) == set(MEASURES) | set(CLASS_MEASURES)
    assert (ORDINAL | LOWER_IS_BETTER | set(SIX)) <= set(MEASURES)
    assert len(SIX) == 6
