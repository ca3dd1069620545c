"""Losses of classifiers, against the values that were computed independently."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy

from cbir.errors import SpecError
from cbir.training.recipe.entry import Named
from classifiers.losses import LOSSES
from classifiers.losses.create import create_loss
from classifiers.losses.distance_aware import DistanceAwareLoss

LOGITS = torch.tensor([[2.0, 1.0, 0.0, -1.0, -2.0], [0.0, 0.0, 0.0, 0.0, 0.0]])
LABELS = torch.tensor([0, 4])


def test_distance_aware_loss_has_its_golden_values():
    loss = DistanceAwareLoss(0.5)
    assert loss(LOGITS[:1], LABELS[:1]).item() == pytest.approx(0.575752, abs=1e-6)
    assert loss(LOGITS[1:], LABELS[1:]).item() == pytest.approx(3.218876, abs=1e-6)
    assert loss(LOGITS, LABELS).item() == pytest.approx(1.897314, abs=1e-6)


def test_without_a_distance_it_is_cross_entropy():
    assert DistanceAwareLoss(0.0)(LOGITS, LABELS).item() == pytest.approx(
        cross_entropy(LOGITS, LABELS).item()
    )


def test_the_gradient_goes_through_the_expected_distance():
    logits = LOGITS.clone().requires_grad_()
    DistanceAwareLoss(0.5)(logits, LABELS).backward()
    step = 1e-3
    for place in ((0, 0), (0, 3), (1, 4)):
        ends = []
        for sign in (1, -1):
            moved = LOGITS.clone().double()
            moved[place] += sign * step
            ends.append(DistanceAwareLoss(0.5)(moved, LABELS).item())
        assert logits.grad[place].item() == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-4)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_made_by_its_name(name):
    assert create_loss(Named(name))(LOGITS, LABELS).item() > 0


def test_an_unknown_setting_is_refused():
    with pytest.raises(SpecError, match="unknown setting 'lambda'"):
        create_loss(Named("distance_aware", {"lambda": 1.0}))
