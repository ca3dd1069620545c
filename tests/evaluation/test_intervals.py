from __future__ import annotations

import numpy as np
import pytest

from cbir.evaluation.intervals import Sample, group_bootstrap

TRUE_MEANS = np.array([0.2, 0.5, 0.7])
TRUE_MACRO = float(TRUE_MEANS.mean())


def correlated_study(rng: np.random.Generator, n_groups: int = 120) -> Sample:
    """One to six queries a patient, nearly all of one class, who share most of what makes them hard."""
    sizes = rng.integers(1, 7, n_groups)
    groups = np.repeat(np.arange(n_groups), sizes)
    own = rng.choice(3, n_groups, p=[0.5, 0.3, 0.2])[groups]
    labels = np.where(rng.random(len(groups)) < 0.1, rng.integers(0, 3, len(groups)), own)
    shared = rng.normal(0, 0.15, n_groups)[groups]
    values = TRUE_MEANS[labels] + shared + rng.normal(0, 0.05, len(groups))
    return Sample(values, labels, groups)


def image_wise(sample: Sample) -> Sample:
    return Sample(sample.values, sample.labels, np.arange(len(sample.values)))


def coverage(*, n_studies: int, n_resamples: int, **method: str) -> tuple[float, float]:
    """How often the interval over groups, and over images, has the true macro mean in it."""
    rng = np.random.default_rng(7)
    covered = np.zeros(2)
    for number in range(n_studies):
        study = correlated_study(rng)
        for place, sample in enumerate((study, image_wise(study))):
            found = group_bootstrap(sample, n_resamples=n_resamples, seed=number, **method)
            covered[place] += found.low <= TRUE_MACRO <= found.high
    by_group, by_image = covered / n_studies
    return by_group, by_image


def test_the_interval_covers_the_truth_over_patients_and_not_over_images():
    by_group, by_image = coverage(n_studies=150, n_resamples=300)
    assert 0.9 <= by_group <= 0.99
    assert by_image < 0.85


@pytest.mark.soak
@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_five_hundred_studies_are_covered_as_promised(method):
    by_group, by_image = coverage(n_studies=500, n_resamples=2000, method=method)
    assert 0.93 <= by_group <= 0.97
    assert by_image < 0.85


def test_macro_is_the_mean_of_the_means_of_the_classes():
    sample = Sample(np.array([1.0, 0, 0, 0, 1]), np.array([0, 0, 0, 0, 2]), np.arange(5))
    assert sample.mean("macro") == pytest.approx((0.25 + 1) / 2)
    assert sample.mean("micro") == pytest.approx(0.4)


def test_a_query_without_a_value_does_not_count():
    sample = Sample(np.array([1.0, np.nan, 0]), np.array([0, 0, 1]), np.arange(3))
    assert sample.mean("macro") == 0.5
    assert np.isnan(Sample(np.array([np.nan]), np.array([0]), np.array([0])).mean("macro"))


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_the_bootstrap_is_that_of_a_plain_loop(method):
    sample = correlated_study(np.random.default_rng(3), n_groups=40)
    rng = np.random.default_rng(0)
    by_group = [np.flatnonzero(sample.groups == group) for group in range(40)]
    means = []
    for _ in range(2000):
        drawn = np.concatenate([by_group[group] for group in rng.integers(40, size=40)])
        values, labels = sample.values[drawn], sample.labels[drawn]
        means.append(np.mean([values[labels == label].mean() for label in np.unique(labels)]))
    found = group_bootstrap(sample, method=method, seed=0)
    expected = np.quantile(means, [0.025, 0.975])
    tolerance = 1e-9 if method == "percentile" else 0.01
    assert [found.low, found.high] == pytest.approx(expected, abs=tolerance)


def test_bca_agrees_with_scipy():
    scipy_stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(1).exponential(size=60)
    sample = Sample(values, np.zeros(60, dtype=np.int64), np.arange(60))
    found = group_bootstrap(sample, "micro", method="bca", n_resamples=20_000)
    theirs = scipy_stats.bootstrap(
        (values,), np.mean, method="BCa", n_resamples=20_000, rng=np.random.default_rng(2)
    ).confidence_interval
    assert [found.low, found.high] == pytest.approx([theirs.low, theirs.high], abs=0.02)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_values_that_do_not_vary_have_an_interval_of_a_point(method):
    sample = Sample(np.full(6, 0.5), np.array([0, 1] * 3), np.arange(6))
    found = group_bootstrap(sample, method=method)
    assert (found.low, found.high) == (0.5, 0.5)


def test_one_patient_gives_no_interval():
    assert group_bootstrap(Sample(np.array([0.1, 0.9]), np.array([0, 1]), np.array([4, 4]))) is None


def test_the_names_of_patients_and_classes_do_not_matter():
    sample = correlated_study(np.random.default_rng(5), n_groups=30)
    renamed = Sample(sample.values, sample.labels * 3 + 1, sample.groups * 7)
    assert group_bootstrap(sample) == group_bootstrap(renamed)
