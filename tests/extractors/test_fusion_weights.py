from __future__ import annotations

import numpy as np
import pytest

from cbir.errors import SpecError
from cbir.extractors.fitting.fusion_weights import learn_fusion_weights
from cbir.extractors.fitting.neighbours import SoftNeighbours


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def made(n_rows: int, strengths: tuple[float, ...], seed: int = 0) -> tuple[list, list[str], list[str]]:
    """Branches that say as much of the labels as they are strong; two rows a group."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(rng.integers(0, 3, n_rows // 2), 2)
    branches = [
        unit(rng.normal(size=(n_rows, 16)) + strength * np.eye(3, 16)[codes]) for strength in strengths
    ]
    return branches, [f"c{code}" for code in codes], [f"g{row // 2}" for row in range(n_rows)]


def by_hand(cosines, labels, groups, u) -> float:
    """The macro mean of the log probability of a neighbour of the same label."""
    logs: dict[str, list[float]] = {}
    for i, label in enumerate(labels):
        odds = {
            j: np.exp(sum(weight * each[i, j] for weight, each in zip(u, cosines, strict=True)))
            for j in range(len(labels))
            if groups[j] != groups[i]
        }
        like = sum(value for j, value in odds.items() if labels[j] == label)
        if 0 < like < sum(odds.values()):
            logs.setdefault(label, []).append(np.log(like / sum(odds.values())))
    return float(np.mean([np.mean(each) for each in logs.values()]))


def test_the_likelihood_is_its_definition_and_the_slope_is_its_derivative():
    branches, labels, groups = made(40, (2, 1))
    labels[0] = labels[1] = "alone in its group"
    near = SoftNeighbours.of(branches, labels, groups)
    u = np.array([7.0, 3.0])
    value, slope = near.likelihood(u)
    cosines = [each.astype(np.float64) @ each.T for each in branches]
    assert value == pytest.approx(by_hand(cosines, labels, groups, u), abs=1e-6)
    for branch in range(2):
        step = np.eye(2)[branch] * 1e-4
        rise = near.likelihood(u + step)[0] - near.likelihood(u - step)[0]
        assert slope[branch] == pytest.approx(rise / 2e-4, abs=1e-6)


def test_the_branch_that_knows_more_gets_more():
    learned = learn_fusion_weights(*made(300, (3, 1, 0)))
    assert learned.weights[0] > learned.weights[1] > learned.weights[2] > 0
    assert sum(learned.weights) == pytest.approx(1, abs=1e-5)
    assert learned.likelihood > learned.equal_likelihood
    assert learned.n_rows == 300


def test_the_order_of_the_branches_and_of_the_rows_does_not_matter():
    branches, labels, groups = made(120, (2, 1))
    learned = learn_fusion_weights(branches, labels, groups)
    turned = learn_fusion_weights(branches[::-1], labels, groups)
    order = np.random.default_rng(3).permutation(120)
    shuffled = learn_fusion_weights(
        [each[order] for each in branches], [labels[i] for i in order], [groups[i] for i in order]
    )
    assert turned.weights[::-1] == pytest.approx(learned.weights, abs=1e-3)
    assert shuffled.weights == pytest.approx(learned.weights, abs=1e-3)


def test_equal_branches_get_equal_weights():
    (branch, _), labels, groups = made(60, (2, 2))
    assert learn_fusion_weights([branch, branch], labels, groups).weights == pytest.approx(
        (0.5, 0.5), abs=1e-3
    )


def test_few_groups_leave_the_weights_nearer_to_equal_than_many():
    few, many = (learn_fusion_weights(*made(n, (2, 0))).weights[0] for n in (20, 600))
    assert 0.5 < few < many < 1


def test_of_many_rows_whole_groups_are_drawn_by_the_seed():
    rows = made(120, (2, 1))
    learned = learn_fusion_weights(*rows, max_rows=41, seed=1)
    assert learned.n_rows == 40
    assert learned == learn_fusion_weights(*rows, max_rows=41, seed=1)
    assert learned != learn_fusion_weights(*rows, max_rows=41, seed=2)


def test_the_weights_for_l2_give_the_scores_of_the_sum_of_cosines():
    from cbir.extractors.fusion import fuse
    from cbir.extractors.spec import FusionSpec

    branches, labels, groups = made(60, (2, 1))
    learned = learn_fusion_weights(branches, labels, groups)
    scores = sum(
        weight * each.astype(np.float64) @ each.T
        for weight, each in zip(learned.weights, branches, strict=True)
    )
    for spec in (FusionSpec("score", learned.weights), FusionSpec("l2", learned.for_l2)):
        fused = fuse(branches, spec)
        assert np.allclose(fused @ fused.T, scores, atol=1e-5)


def test_rows_without_a_group_are_groups_of_their_own():
    branches, labels, _ = made(60, (2, 1))
    alone = learn_fusion_weights(branches, labels, [None] * 60)
    assert alone == learn_fusion_weights(branches, labels, [str(row) for row in range(60)])


def test_a_branch_that_says_nothing_of_a_row_is_no_obstacle():
    branches, labels, groups = made(60, (2, 1))
    branches[1][:5] = 0
    assert all(np.isfinite(learn_fusion_weights(branches, labels, groups).weights))


def test_what_nothing_can_be_learned_from_is_refused():
    branches, labels, groups = made(20, (2, 1))
    with pytest.raises(SpecError, match="two branches or more, not for 1"):
        learn_fusion_weights(branches[:1], labels, groups)
    with pytest.raises(SpecError, match="None of 20 images, of 10 groups and 1 labels"):
        learn_fusion_weights(branches, ["one"] * 20, groups)
    with pytest.raises(SpecError, match="None of 20 images, of 1 groups"):
        learn_fusion_weights(branches, labels, ["g"] * 20)
