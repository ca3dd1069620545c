from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from posteriors import judged, table

from cbir.errors import ItemsError
from cbir.evaluation.comparison import compare as compare_means
from cbir.evaluation.intervals import Sample
from classifiers.evaluation.comparison import COMPARED, compare, spread_over_seeds
from classifiers.evaluation.judged import judge


def right(made) -> np.ndarray:
    return (made.posteriors.argmax(axis=1) == made.labels).astype(float)


@pytest.mark.parametrize("per_group", [3, 15])  # 30 groups: drawn flips; 6: every flip
def test_of_a_mean_it_is_the_sign_flip_over_patients(per_group):
    one, other = judged(per_group=per_group, knows=2), judged(per_group=per_group, knows=1.5, seed=1)
    (value, there, found) = compare(one, other, names=["accuracy"], seed=4).values["accuracy"]
    sample = Sample(right(one), one.labels, one.groups)
    expected = compare_means(sample, right(other), "micro", seed=4)
    assert (value, there) == pytest.approx((right(one).mean(), right(other).mean()))
    assert found.difference == pytest.approx(expected.difference)
    assert found.p_value == expected.p_value
    assert (found.interval.low, found.interval.high) == pytest.approx(
        (expected.interval.low, expected.interval.high)
    )


def test_a_table_does_not_differ_from_itself():
    made = judged()
    for value, there, found in compare(made, made, n_permutations=200).values.values():
        assert value == there
        assert found.difference == 0
        assert found.p_value == 1


def test_what_knows_more_is_better_by_every_measure():
    found = compare(judged(knows=3), judged(knows=0.2, seed=1), n_permutations=500).values
    assert set(found) == set(COMPARED)
    for name, (_, _, each) in found.items():
        assert each.p_value < 0.01
        assert (each.difference > 0) is (name != "brier")


def test_p_is_even_where_nothing_differs():
    p_values = [
        compare(
            judged(40, 2, knows=1, seed=seed, label_seed=seed),
            judged(40, 2, knows=1, seed=seed + 1000, label_seed=seed),
            names=["mcc"],
            n_permutations=99,
            n_resamples=2,
        )
        .values["mcc"][2]
        .p_value
        for seed in range(60)
    ]
    assert 0.35 < np.mean(p_values) < 0.68
    assert np.mean(np.array(p_values) <= 0.1) < 0.25


def test_only_shared_images_are_compared():
    one, other = table(60), table(60, seed=1)
    backwards = judge(other.only(range(59, 19, -1)), "other")
    found = compare(judge(one.only(range(50)), "one"), backwards, names=["accuracy"])
    assert (found.n_images, found.n_left_out) == (30, 30)


def test_tables_that_do_not_fit_are_refused():
    made = table()
    elsewhere = replace(made, paths=tuple(f"/other/{row}" for row in range(90)))
    relabelled = replace(made, labels=made.labels[1:] + made.labels[:1])
    with pytest.raises(ItemsError, match="90 and 90 images have none in common"):
        compare(judge(made, "a"), judge(elsewhere, "b"))
    with pytest.raises(ItemsError, match="of 90 shared images have another label there"):
        compare(judge(made, "a"), judge(relabelled, "b"))
    with pytest.raises(ItemsError, match="the classes 1, 2, 3, 4, the other 1, 2, 3"):
        compare(judged(), judged(n_classes=3))


def test_the_spread_over_seeds():
    made = [judged(seed=seed) for seed in range(5)]
    found = spread_over_seeds(made)["accuracy"]
    values = [right(each).mean() for each in made]
    assert found.values == pytest.approx(values)
    assert (found.mean, found.sd) == pytest.approx((np.mean(values), np.std(values, ddof=1)))
    with pytest.raises(ItemsError, match="different images or classes"):
        spread_over_seeds([judged(), judged(60)])
