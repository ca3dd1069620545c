"""The temperature that makes probabilities as sure as they are right."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbir.errors import CalibrationError
from classifiers.calibration import fit_temperature, log_loss, with_temperature

CLASSES = ("a", "b")


def test_a_temperature_found_by_hand():
    # Always 0.9 for the first class, right three times of four: sigmoid(log 9 / T) = 3/4 at T = 2.
    logits = np.tile([math.log(0.9), math.log(0.1)], (4, 1))
    found = fit_temperature(logits, np.array([0, 0, 0, 1]), classes=CLASSES)
    assert found == pytest.approx(2, rel=1e-5)
    np.testing.assert_allclose(np.exp(with_temperature(logits, found))[:, 0], 0.75, rtol=1e-5)
    assert log_loss(with_temperature(logits, found), np.array([0, 0, 0, 1])) == pytest.approx(
        0.562335, abs=1e-6
    )


def test_the_temperature_of_logits_that_were_drawn_from_their_own_probabilities_is_one():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 3))
    shares = np.exp(with_temperature(logits, 1.0))
    codes = (rng.random((4000, 1)) > shares.cumsum(axis=1)).sum(axis=1)
    assert fit_temperature(logits, codes, classes="abc") == pytest.approx(1, abs=0.06)


@given(factor=st.floats(0.2, 5), seed=st.integers(0, 50))
def test_scaled_logits_have_the_scaled_temperature_and_the_same_probabilities(factor, seed):
    rng = np.random.default_rng(seed)
    logits, codes = rng.normal(0, 1, (60, 2)), np.arange(60) % 2
    logits[np.arange(60), codes] += 1
    one, other = (fit_temperature(each, codes, classes=CLASSES) for each in (logits, logits * factor))
    assert 0.01 < one < 20
    assert other == pytest.approx(one * factor, rel=1e-3)


def test_where_all_are_right_nothing_is_doubted():
    logits, codes = np.array([[3.0, 0.0], [0.0, 3.0]]), np.array([0, 1])
    found = fit_temperature(logits, codes, classes=CLASSES)
    assert 0.01 <= found < 0.1
    assert log_loss(with_temperature(logits, found), codes) == 0


def test_logits_that_say_nothing_are_not_believed():
    logits, codes = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0, 1])
    assert fit_temperature(logits, codes, classes=CLASSES) == pytest.approx(100, rel=1e-2)


def test_a_class_without_an_image_is_named():
    with pytest.raises(
        CalibrationError, match=r"empty class: none of 2 images is labelled 'b', of the classes"
    ):
        fit_temperature(np.zeros((2, 2)), np.array([0, 0]), classes=CLASSES)


@pytest.mark.parametrize(
    ("logits", "classes", "said"),
    [
        (np.zeros((1, 1)), ("a",), "takes two classes, and here is 1: a"),
        (np.array([[0.0, 1.0], [-np.inf, 0.0]]), CLASSES, "Row 1 of 2 has a logit that is not finite"),
    ],
)
def test_what_can_not_be_calibrated_is_refused(logits, classes, said):
    with pytest.raises(CalibrationError, match=said):
        fit_temperature(logits, np.arange(len(logits)), classes=classes)
