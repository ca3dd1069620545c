"""The losses that a library computes, against golden values and slow loops over the papers' formulas."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from cbir.training.losses import LOSSES, NEEDS_ORDER, OF_LOGITS
from cbir.training.losses.create import FACTORIES, WeightedLosses
from cbir.training.losses.cross_entropy import CrossEntropyLoss
from cbir.training.losses.multi_similarity import MultiSimilarityLoss
from cbir.training.losses.proxy_anchor import ProxyAnchorLoss
from cbir.training.losses.sup_con import SupConLoss
from cbir.training.losses.triplet import TripletLoss
from cbir.training.recipe import Term
from cbir.training.settings import read_settings

LABELS = torch.tensor([0, 1, 2, 0, 1, 2, 0, 0, 1, 2, 2, 3])
"""One class has a single image: an anchor without a positive."""


def drawn(n: int = 12, dim: int = 5, seed: int = 0) -> Tensor:
    numbers = torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return normalize(numbers, dim=1)


def term(name: str, weight: float = 1.0, **settings: float | str) -> Term:
    return Term(name, weight, read_settings(name, settings, LOSSES[name]))


def mean_of_violations(violations: list[float]) -> float:
    positive = [each for each in violations if each > 0]
    return sum(positive) / len(positive) if positive else 0.0


def slow_triplet(e: Tensor, y: Tensor, margin: float) -> float:
    """Nearest of the own class, nearest of another class beyond it."""
    violations = []
    for a in range(len(e)):
        gaps = [float((e[a] - other).norm()) for other in e]
        own = [gaps[i] for i in range(len(e)) if i != a and y[i] == y[a]]
        others = [gaps[i] for i in range(len(e)) if y[i] != y[a] and own and gaps[i] > min(own)]
        if others:
            violations.append(min(own) - min(others) + margin)
    return mean_of_violations(violations)


def slow_multi_similarity(e: Tensor, y: Tensor, settings: tuple[float, float, float, float]) -> float:
    alpha, beta, base, epsilon = settings
    s, n, total = e @ e.T, len(e), 0.0
    for i in range(n):
        own = [float(s[i, j]) for j in range(n) if j != i and y[j] == y[i]]
        others = [float(s[i, j]) for j in range(n) if y[j] != y[i]]
        if not own or not others:
            continue
        near = [each for each in others if each + epsilon > min(own)]
        far = [each for each in own if each - epsilon < max(others)]
        total += math.log1p(sum(math.exp(-alpha * (each - base)) for each in far)) / alpha
        total += math.log1p(sum(math.exp(beta * (each - base)) for each in near)) / beta
    return total / n


def slow_sup_con(e: Tensor, y: Tensor, temperature: float) -> float:
    s, n, found = (e @ e.T) / temperature, len(e), []
    for i in range(n):
        own = [j for j in range(n) if j != i and y[j] == y[i]]
        if own:
            others = math.log(sum(math.exp(float(s[i, j])) for j in range(n) if j != i))
            found.append(-sum(float(s[i, j]) - others for j in own) / len(own))
    return sum(found) / len(found)


def slow_proxy_anchor(e: Tensor, y: Tensor, points: Tensor, margin: float, alpha: float) -> float:
    s, classes = e @ normalize(points, dim=1).T, range(len(points))
    own = [[float(s[i, c]) for i in range(len(e)) if y[i] == c] for c in classes]
    others = [[float(s[i, c]) for i in range(len(e)) if y[i] != c] for c in classes]
    pulled = [math.log1p(sum(math.exp(-alpha * (x - margin)) for x in each)) for each in own if each]
    pushed = [math.log1p(sum(math.exp(alpha * (x + margin)) for x in each)) for each in others]
    return sum(pulled) / len(pulled) + sum(pushed) / len(pushed)


def test_the_triplet_loss_has_the_golden_value():
    e = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    assert TripletLoss(0.5, "all", "all")(e, torch.tensor([0, 0, 1])).item() == pytest.approx(0.5)


@pytest.mark.parametrize("margin", [0.3, 0.5])
def test_the_mined_triplet_loss_equals_a_loop(margin):
    e = drawn()
    expected = slow_triplet(e, LABELS, margin)
    assert TripletLoss(margin)(e, LABELS).item() == pytest.approx(expected)
    assert expected > 0


def test_a_batch_of_one_class_has_no_triplet_and_a_gradient_of_zero():
    e = drawn(4).requires_grad_()
    found = TripletLoss(0.5)(e, torch.zeros(4, dtype=torch.int64))
    found.backward()
    assert found.item() == 0
    assert e.grad.abs().sum() == 0


@pytest.mark.parametrize("settings", [(2.0, 50.0, 0.5, 0.1), (2.0, 10.0, 0.2, 0.5)])
def test_multi_similarity_equals_a_loop(settings):
    e = drawn(seed=3)
    found = MultiSimilarityLoss(*settings)(e, LABELS)
    assert found.item() == pytest.approx(slow_multi_similarity(e, LABELS, settings))


def test_sup_con_equals_a_loop():
    e = drawn(seed=4)
    assert SupConLoss(0.1)(e, LABELS).item() == pytest.approx(slow_sup_con(e, LABELS, 0.1))


def test_proxy_anchor_equals_a_loop():
    e, loss = drawn(seed=5), ProxyAnchorLoss(5, 5).double()
    (points,) = loss.parameters()
    expected = slow_proxy_anchor(e, LABELS, points.detach(), 0.1, 32.0)
    assert loss(e, LABELS).item() == pytest.approx(expected)


def test_cross_entropy_spreads_a_share_of_the_label_over_all_classes():
    logits, y, share = drawn(4, 3), torch.tensor([0, 1, 2, 1]), 0.1
    slow = 0.0
    for row, label in zip(logits.log_softmax(dim=1).tolist(), y.tolist(), strict=True):
        slow -= (1 - share) * row[label] + share * sum(row) / 3
    assert CrossEntropyLoss(share)(logits, y).item() == pytest.approx(slow / 4)
    uniform = CrossEntropyLoss()(torch.zeros(1, 5), torch.tensor([4]))
    assert uniform.item() == pytest.approx(1.609438, abs=5e-7)


def test_every_loss_of_a_page_can_be_made():
    assert set(FACTORIES) == set(LOSSES)
    assert set(LOSSES) >= OF_LOGITS | NEEDS_ORDER


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_measures_a_batch_and_has_a_finite_gradient(name):
    settings = {"margin": 0.5} if name == "triplet" else {}
    losses = WeightedLosses([term(name, **settings)], n_classes=4, dim=5).double()
    e, logits = drawn().requires_grad_(), drawn(12, 4, seed=1).requires_grad_()
    found = losses.total(losses(e, logits, LABELS))
    found.backward()
    asked, other = (logits, e) if name in OF_LOGITS else (e, logits)
    assert found.item() > 0
    assert torch.isfinite(asked.grad).all()
    assert asked.grad.abs().sum() > 0
    assert other.grad is None


def test_losses_of_embeddings_see_unit_vectors():
    terms = [term(name) for name in LOSSES if name not in OF_LOGITS]
    torch.manual_seed(0)
    losses = WeightedLosses(terms, n_classes=4, dim=5).double()
    e = drawn()
    once, scaled = losses(e, None, LABELS), losses(e * 7, None, LABELS)
    assert {name: value.item() for name, value in scaled.items()} == pytest.approx(
        {name: value.item() for name, value in once.items()}
    )


def test_the_total_is_the_weighted_sum():
    terms = [term("triplet", 0.6, margin=0.5), term("cross_entropy", 0.3), term("centre", 0.1)]
    losses = WeightedLosses(terms, n_classes=4, dim=5).double()
    measured = losses(drawn(), drawn(12, 4, seed=1), LABELS)
    expected = 0.6 * measured["triplet"] + 0.3 * measured["cross_entropy"] + 0.1 * measured["centre"]
    assert losses.total(measured).item() == pytest.approx(expected.item())
