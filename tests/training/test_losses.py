"""The losses of our own, against golden values, slow loops and numerical gradients."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from cbir.training.losses.centre import CentreLoss
from cbir.training.losses.rank_n_contrast import RankNContrastLoss


def drawn(n: int, dim: int, seed: int = 0) -> Tensor:
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def centres_at(values: list[list[float]]) -> CentreLoss:
    loss = CentreLoss(len(values), len(values[0])).double()
    loss.centres.data = torch.tensor(values, dtype=torch.float64)
    return loss


def slow_rank_n_contrast(f: Tensor, y: Tensor, temperature: float) -> float:
    """The paper's equation, pair by pair."""
    n, total = len(f), 0.0
    for i in range(n):
        for j in range(n):
            if j == i:
                continue
            near = [
                math.exp(-float((f[i] - f[k]).norm()) / temperature)
                for k in range(n)
                if k != i and abs(y[i] - y[k]) >= abs(y[i] - y[j])
            ]
            total -= math.log(math.exp(-float((f[i] - f[j]).norm()) / temperature) / sum(near))
    return total / (n * (n - 1))


def test_the_centre_loss_is_the_mean_squared_distance_from_the_class_centre():
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
    found = centres_at([[0.0, 0.0], [1.0, 1.0]])(x, torch.tensor([0, 0, 1]))
    assert found.item() == pytest.approx(2 / 3)


def test_the_centre_loss_equals_a_loop():
    x, y = drawn(11, 4), torch.arange(11) % 3
    loss = centres_at(drawn(3, 4, seed=1).tolist())
    centres = loss.centres.detach()
    slow = sum(float(((x[i] - centres[y[i]]) ** 2).sum()) for i in range(11)) / 11
    assert loss(x, y).item() == pytest.approx(slow)


def test_the_centre_loss_has_the_right_gradients_for_embeddings_and_centres():
    x, y = drawn(5, 3).requires_grad_(), torch.tensor([0, 1, 1, 0, 2])
    loss = centres_at(drawn(3, 3, seed=2).tolist())
    assert torch.autograd.gradcheck(lambda each: loss(each, y), x)
    loss(x, y).backward()
    of_class_2 = 2 * (loss.centres.data[2] - x.data[4]) / 5
    torch.testing.assert_close(loss.centres.grad[2], of_class_2)


def test_a_class_that_is_not_in_the_batch_leaves_its_centre_alone():
    loss = centres_at([[0.0], [1.0], [2.0]])
    loss(drawn(4, 1), torch.tensor([0, 0, 1, 1])).backward()
    assert loss.centres.grad[2].item() == 0


def test_rank_n_contrast_has_the_golden_value():
    f = torch.tensor([[0.0], [1.0], [3.0]], dtype=torch.float64)
    found = RankNContrastLoss(temperature=1.0)(f, torch.tensor([0.0, 1.0, 2.0]))
    assert found.item() == pytest.approx(0.344452, abs=5e-7)


@pytest.mark.parametrize("n", [2, 3, 12])
@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_rank_n_contrast_equals_the_papers_equation_pair_by_pair(n, temperature):
    f, y = drawn(n, 5), torch.tensor([0, 2, 1, 1, 4, 2, 0, 3, 3, 1, 2, 2][:n])
    found = RankNContrastLoss(temperature)(f, y)
    assert found.item() == pytest.approx(slow_rank_n_contrast(f, y, temperature))


def test_rank_n_contrast_has_the_right_gradient():
    f, y = drawn(6, 3).requires_grad_(), torch.tensor([0, 1, 1, 2, 0, 3])
    assert torch.autograd.gradcheck(lambda each: RankNContrastLoss(1.0)(each, y), f)


def test_rank_n_contrast_of_equal_embeddings_has_a_finite_gradient():
    f = torch.zeros(4, 3, requires_grad=True)
    RankNContrastLoss()(f, torch.tensor([0, 1, 2, 3])).backward()
    assert torch.isfinite(f.grad).all()


def test_rank_n_contrast_of_one_embedding_is_nothing():
    f = torch.ones(1, 3, requires_grad=True)
    found = RankNContrastLoss()(f, torch.tensor([1]))
    found.backward()
    assert found.item() == 0
    assert f.grad.abs().sum() == 0


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="0 classes"):
        CentreLoss(0, 4)
    with pytest.raises(ValueError, match="must be positive"):
        RankNContrastLoss(0.0)
