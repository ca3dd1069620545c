"""What bf16 costs is measured on the build's own images, and said by `index info`."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.ingesting.precision import MeasuringEmbedder, Precision, compare


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class Summing:
    """Each image's pixels as its vector, a share of noise added."""

    fingerprint = "f" * 64

    def __init__(self, noise: float = 0.0) -> None:
        self.noise, self.n_images = noise, 0
        self._rng = np.random.default_rng(1)

    dim = 48

    def embed(self, prepared):
        pixels = prepared[0].reshape(len(prepared[0]), -1)
        self.n_images += len(pixels)
        return unit(pixels + self.noise * self._rng.standard_normal(pixels.shape))


def batches(n_images: int, size: int) -> list[list[np.ndarray]]:
    pixels = np.random.default_rng(0).standard_normal((n_images, 3, 4, 4)).astype(np.float32)
    return [[pixels[first : first + size]] for first in range(0, n_images, size)]


def measured(embedder, reference, n_images: int, size: int = 8) -> list[Precision]:
    found: list[Precision] = []
    measuring = MeasuringEmbedder(embedder, lambda: reference, lambda: "bf16", found.append)
    for batch in batches(n_images, size):
        np.testing.assert_array_equal(measuring.embed(batch).shape, (len(batch[0]), 48))
    return found


def test_an_exact_embedder_loses_nothing():
    (found,) = measured(Summing(), Summing(), 40)
    assert found.recall_at_10 == 1.0
    assert found.least_cosine == pytest.approx(1.0, abs=1e-6)
    assert found.computed_in == "bf16"


def test_a_noisy_one_is_measured_once_against_the_reference():
    reference = Summing()
    (found,) = measured(Summing(noise=0.5), reference, 200)
    assert found.n_images == reference.n_images == 24
    assert 0.7 < found.least_cosine <= found.median_cosine < 0.97
    assert 0.3 < found.recall_at_10 < 1.0


def test_too_few_images_are_not_measured():
    assert measured(Summing(), Summing(), 19) == []
    assert measured(Summing(), Summing(), 0) == []


def test_at_most_32_images_are_kept():
    assert measured(Summing(), Summing(), 64, size=64)[0].n_images == 32


def test_large_images_are_kept_within_their_memory(monkeypatch):
    monkeypatch.setattr("indexer.ingesting.precision._MOST_BYTES", 21 * 48 * 4)
    assert measured(Summing(), Summing(), 40, size=40)[0].n_images == 21
    monkeypatch.setattr("indexer.ingesting.precision._MOST_BYTES", 19 * 48 * 4)
    assert measured(Summing(), Summing(), 40, size=40) == []


def test_a_slow_network_is_measured_when_the_build_took_long_enough(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("indexer.ingesting.precision.time.monotonic", lambda: now[0])

    class Slow(Summing):
        def embed(self, prepared):
            now[0] += len(prepared[0])  # a second each
            return super().embed(prepared)

    # 20 images of 3 s must fit into 4 s and a tenth of what went before: from image 560 on.
    assert measured(Slow(), Summing(), 552) == []
    assert measured(Slow(), Summing(), 560)[0].n_images == 20


def test_identical_images_keep_their_neighbours():
    rows = unit(np.ones((20, 8)))
    assert compare(rows, rows, computed_in="f32").recall_at_10 == 1.0


def test_the_recall_counts_the_neighbours_that_are_lost():
    # Two images each: the one neighbour there is can't be lost, however far the vectors are.
    exact, own = unit(np.eye(2)), unit(np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert compare(own, exact, computed_in="bf16") == Precision("bf16", 2, 0.0, 0.0, 1.0)
    # A dozen on a line; in `own` the first one lies at the other end.
    angles = np.linspace(0.0, 1.1, 12)
    moved = np.concatenate([[1.2], angles[1:]])
    exact, own = (unit(np.stack([np.cos(a), np.sin(a)], axis=1)) for a in (angles, moved))

    def nearest(query: int, gallery: np.ndarray) -> set[int]:
        others = [row for row in range(12) if row != query]
        return set(sorted(others, key=lambda row: abs(gallery[row] - angles[query]))[:10])

    expected = np.mean([len(nearest(each, angles) & nearest(each, moved)) / 10 for each in range(12)])
    assert expected < 1.0
    assert compare(own, exact, computed_in="bf16").recall_at_10 == pytest.approx(expected)
