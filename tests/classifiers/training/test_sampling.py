from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.training.sampling import oversampled


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(0, 3), st.integers(0, 3))
def test_classes_become_equal_and_every_image_comes(codes, seed, epoch):
    codes = np.array(codes)
    drawn = oversampled(codes, seed=seed, epoch=epoch)
    counts = np.bincount(codes)
    assert set(np.bincount(codes[drawn.places])[counts > 0]) == {counts.max()}
    for code in np.unique(codes):
        times = np.bincount(drawn.places[codes[drawn.places] == code], minlength=len(codes))[codes == code]
        assert times.min() >= 1
        assert times.max() - times.min() <= 1
    pairs = list(zip(drawn.places.tolist(), drawn.turns.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)


def test_which_come_again_depends_on_the_seed_and_the_epoch_alone():
    codes = np.array([0] * 20 + [1] * 13)

    def again(seed, epoch):
        drawn = oversampled(codes, seed=seed, epoch=epoch)
        return sorted(zip(drawn.places.tolist(), drawn.turns.tolist(), strict=True))

    assert again(0, 0) == again(0, 0)
    assert again(0, 0) != again(0, 1)
    assert again(0, 0) != again(1, 0)


def test_nothing_to_draw_from():
    with pytest.raises(ValueError, match="no images"):
        oversampled(np.zeros(0, dtype=np.int64), seed=0, epoch=0)
