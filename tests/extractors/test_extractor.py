"""Branches become one unit vector, or an error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cbir.errors import SpecError, VectorError
from cbir.extractors.extractor import Extractor
from cbir.extractors.fusion import fuse
from cbir.extractors.spec import FusionSpec


class Given:
    """A network that answers with given vectors."""

    def __init__(self, vectors, dim=96):
        self.vectors, self.dim = np.asarray(vectors, np.float32), dim

    def __call__(self, batch):
        return self.vectors[: len(batch)]


PIXELS = np.zeros((2, 3, 32, 48), np.float32)


def vectors(seed=0):
    return np.random.default_rng(seed).standard_normal((2, 96)).astype(np.float32)


def test_fusion_follows_its_formula(spec):
    one, two = vectors(1), 1000 * vectors(2)
    got = Extractor(spec, [Given(one), Given(two)]).embed([PIXELS, PIXELS])
    for row in range(2):
        parts = [one[row] / np.linalg.norm(one[row]), 0.5 * two[row] / np.linalg.norm(two[row])]
        joined = np.concatenate(parts)
        np.testing.assert_allclose(got[row], joined / np.linalg.norm(joined), atol=1e-6)
    assert got.dtype == np.float32


@given(
    arrays.arrays(np.float32, (3, 5), elements=st.floats(2.0**-60, 2.0**100, width=32)),
    st.tuples(st.floats(0.01, 100), st.floats(0.01, 100)),
)
def test_rows_are_unit_vectors_whatever_their_scale(raw, weights):
    for fused in (fuse([raw], weights[:1]), fuse([raw, raw[:, :2]], weights)):
        np.testing.assert_allclose(np.linalg.norm(fused, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(("value", "named"), [(np.nan, "not finite"), (np.inf, "not finite"), (0.0, "zero")])
def test_a_bad_row_is_refused_naming_its_branch_and_image(spec, value, named):
    bad = vectors()
    bad[1, :] = value
    with pytest.raises(VectorError, match=f"Branch 1: .*image 1 is {named}"):
        Extractor(spec, [Given(vectors()), Given(bad)]).embed([PIXELS, PIXELS])


@pytest.mark.parametrize(
    "prepared",
    [
        [],
        [PIXELS],
        [PIXELS, PIXELS[:1]],
        [PIXELS[:0], PIXELS[:0]],
        [PIXELS[0], PIXELS[0]],
        [PIXELS[:, :1], PIXELS[:, :1]],
        [PIXELS[..., :32], PIXELS[..., :32]],
    ],
)
def test_pixels_of_another_shape_are_refused(spec, prepared):
    with pytest.raises(VectorError, match=r"it takes \[\(\d, 3, 32, 48\)"):
        Extractor(spec, [Given(vectors()), Given(vectors())]).embed(prepared)


def test_networks_that_do_not_fit_the_spec_are_refused(spec):
    with pytest.raises(SpecError, match=r"\[96, 64\], its spec says \[96, 96\]"):
        Extractor(spec, [Given(vectors()), Given(vectors(), dim=64)])
    with pytest.raises(SpecError, match="dims"):
        Extractor(spec, [Given(vectors())])


def test_an_extractor_takes_fingerprint_and_dim_from_its_spec(spec, branch):
    single = replace(spec, branches=(branch,), fusion=FusionSpec())
    extractor = Extractor(single, [Given(vectors())])
    assert extractor.fingerprint == single.fingerprint
    assert extractor.dim == 96
