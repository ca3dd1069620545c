"""Batches: balanced or shuffled, the same for a seed and an epoch, nothing left out."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pytorch_metric_learning.samplers import MPerClassSampler

from cbir.training.feeding.sampling import balanced_batches, shuffled_batches

labelled = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 8)), min_size=1, max_size=60)


def balanced(pairs: list[tuple[int, int]], p: int, k: int, epoch: int = 0) -> list[NDArray[np.int64]]:
    labels = [label for label, _ in pairs]
    groups = [f"patient {group} of {label}" for label, group in pairs]
    return balanced_batches(labels, groups, classes=p, per_class=k, seed=3, epoch=epoch)


@given(pairs=labelled, p=st.integers(1, 8), k=st.integers(1, 6))
def test_a_batch_has_p_classes_and_k_images_of_each(pairs, p, k):
    labels = np.array([label for label, _ in pairs])
    sizes = Counter(labels.tolist())
    batches = balanced(pairs, p, k)
    assert len(batches) == -(-len(pairs) // (p * k))
    for batch in batches:
        counts = Counter(labels[batch].tolist())
        assert len(batch) == p * k
        assert len(counts) == min(p, len(sizes))
        assert all(count % k == 0 for count in counts.values())
        assert max(counts.values()) - min(counts.values()) <= k
        seen = Counter(batch.tolist())
        for label, count in counts.items():
            times = [seen[row] for row in np.flatnonzero(labels == label)]
            assert max(times) - min(times) <= 1, "an image twice before another of its class once"
            assert max(times) == -(-count // sizes[label])


@given(pairs=labelled, p=st.integers(1, 4), k=st.integers(1, 4))
def test_over_an_epoch_classes_take_turns_and_so_do_the_images_of_a_class(pairs, p, k):
    labels = np.array([label for label, _ in pairs])
    drawn = Counter(np.concatenate(balanced(pairs, p, k)).tolist())
    times = [
        sum(drawn[row] for row in np.flatnonzero(labels == label)) // k for label in set(labels.tolist())
    ]
    assert max(times) - min(times) <= 1
    for label in set(labels.tolist()):
        counts = [drawn[row] for row in np.flatnonzero(labels == label)]
        assert max(counts) - min(counts) <= 1


def test_the_images_of_a_class_come_from_as_many_patients_as_can_be():
    pairs = [(label, group) for label in range(2) for group in range(4) for _ in range(5)]
    for batch in balanced(pairs, 2, 4):
        assert len({pairs[row] for row in batch}) == 8


def test_the_same_seed_and_epoch_draw_the_same_and_others_others():
    pairs = [(row % 3, row) for row in range(60)]
    again, other = balanced(pairs, 3, 4), balanced(pairs, 3, 4, epoch=1)
    assert all((a == b).all() for a, b in zip(balanced(pairs, 3, 4), again, strict=True))
    assert any((a != b).any() for a, b in zip(again, other, strict=True))


def test_the_guarantees_of_the_metric_learning_library_hold():
    """The same numbers of classes and images in every batch, none twice in a class that has enough."""
    labels = [0] * 30 + [1] * 12 + [2] * 7 + [3] * 4
    theirs = list(MPerClassSampler(labels, m=4, batch_size=12, length_before_new_iter=600))
    ours = [
        row
        for epoch in range(10)
        for batch in balanced([(label, row) for row, label in enumerate(labels)], 3, 4, epoch)
        for row in batch.tolist()
    ]
    for rows in (theirs, ours):
        for batch in np.array(rows).reshape(-1, 12):
            assert sorted(Counter(labels[row] for row in batch).values()) == [4, 4, 4]
            assert len(set(batch.tolist())) == 12


@given(n=st.integers(1, 200), size=st.integers(1, 40), epoch=st.integers(0, 3))
def test_a_shuffled_epoch_has_every_image_once_and_no_crumbs(n, size, epoch):
    batches = shuffled_batches(n, batch=size, seed=0, epoch=epoch)
    assert sorted(np.concatenate(batches).tolist()) == list(range(n))
    lengths = [len(batch) for batch in batches]
    assert max(lengths) <= size
    assert max(lengths) - min(lengths) <= 1


def test_nothing_to_draw_from_is_refused():
    with pytest.raises(ValueError, match="0 images"):
        balanced_batches([], [], classes=2, per_class=2, seed=0, epoch=0)
    with pytest.raises(ValueError, match="3 images, 0 a batch"):
        shuffled_batches(3, batch=0, seed=0, epoch=0)
