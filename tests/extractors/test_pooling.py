"""Each pooling against its formula in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cbir.extractors.pooling import POOLINGS, gem


@pytest.fixture
def features():
    return torch.rand(2, 5, 3, 4, generator=torch.Generator().manual_seed(0))


def test_every_pooling_follows_its_formula(features):
    flat = features.numpy().reshape(2, 5, 12).astype(np.float64)
    expected = {"avg": flat.mean(2), "max": flat.max(2), "gem": np.cbrt((flat**3).mean(2))}
    assert set(expected) == set(POOLINGS)
    for name, pool in POOLINGS.items():
        np.testing.assert_allclose(pool(features).numpy(), expected[name], rtol=1e-5)


def test_gem_lies_between_average_and_maximum(features):
    torch.testing.assert_close(gem(features, 1.0), features.mean((2, 3)))
    torch.testing.assert_close(gem(features, 500.0), features.amax((2, 3)), rtol=0.01, atol=0)


def test_gem_of_negative_and_zero_features_is_finite():
    assert torch.isfinite(gem(-torch.ones(1, 2, 3, 3))).all()


@pytest.mark.parametrize("p", [0.0, -1.0])
def test_gem_needs_a_positive_exponent(p):
    with pytest.raises(ValueError, match="positive"):
        gem(torch.ones(1, 1, 1, 1), p)
