"""Branches become one unit vector, or an error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cbir.errors import SpecError, VectorError, WeightsError
from cbir.extractors.extractor import Extractor
from cbir.extractors.fusion import fuse
from cbir.extractors.projection import Projection, write_projection
from cbir.extractors.spec import FusionSpec, ProjectionSpec


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
    several = [fuse([raw, raw[:, :2]], FusionSpec(method, weights)) for method in ("l2", "score")]
    several += [fuse([raw], FusionSpec("l2", weights[:1])), fuse([raw, raw], FusionSpec("raw", (1, 1)))]
    for fused in several:
        np.testing.assert_allclose(np.linalg.norm(fused, axis=1), 1, atol=1e-6)


def test_raw_fusion_joins_the_vectors_as_they_come():
    one, two = vectors(1), 1000 * vectors(2)
    joined = np.concatenate([one, two], axis=1)
    expected = joined / np.linalg.norm(joined, axis=1, keepdims=True)
    np.testing.assert_allclose(fuse([one, two], FusionSpec("raw", (1.0, 1.0))), expected, atol=1e-6)


def test_score_fusion_is_the_weighted_mean_of_the_branches_cosines():
    one, two = vectors(1), vectors(2)
    fused = fuse([one, two], FusionSpec("score", (3.0, 1.0)))
    cosines = [float(a[0] @ a[1] / np.linalg.norm(a[0]) / np.linalg.norm(a[1])) for a in (one, two)]
    assert float(fused[0] @ fused[1]) == pytest.approx((3 * cosines[0] + cosines[1]) / 4, abs=1e-6)


@pytest.mark.parametrize("method", ["l2", "raw", "score"])
def test_a_branch_that_is_zero_adds_nothing_and_all_zero_is_refused(method):
    blank = vectors(1)
    blank[1] = 0
    fused = fuse([vectors(2), blank], FusionSpec(method, (1.0, 1.0)))
    np.testing.assert_allclose(fused[1, :96], vectors(2)[1] / np.linalg.norm(vectors(2)[1]), atol=1e-6)
    assert not fused[1, 96:].any()
    with pytest.raises(VectorError, match="image 1 is zero"):
        fuse([blank, blank], FusionSpec(method, (1.0, 1.0)))


def test_views_are_averaged_as_unit_vectors(spec):
    class Counting:
        """Gives another vector at each call."""

        dim = 96

        def __init__(self):
            self.n = 0

        def __call__(self, batch):
            self.n += 1
            return 10.0**self.n * vectors(self.n)[: len(batch)]

    one = replace(spec, branches=spec.branches[:1], fusion=FusionSpec(), tta=("original", "flip", "zoom"))
    got = Extractor(one, [Counting()]).embed([PIXELS] * 3)
    units = [vectors(n) / np.linalg.norm(vectors(n), axis=1, keepdims=True) for n in (1, 2, 3)]
    mean = np.mean(units, axis=0)
    np.testing.assert_allclose(got, mean / np.linalg.norm(mean, axis=1, keepdims=True), atol=1e-6)
    with pytest.raises(VectorError, match="it takes"):
        Extractor(one, [Counting()]).embed([PIXELS])
    assert Extractor(one, [Counting()], tta=("original",)).embed([PIXELS]).shape == (2, 96)


def test_a_projection_is_applied_last_and_must_be_the_specs(spec):
    mean, matrix = vectors(3)[0], np.random.default_rng(4).standard_normal((192, 7)).astype(np.float32)
    projection = Projection.of(np.concatenate([mean, mean]), matrix)
    projected = replace(spec, projection=ProjectionSpec("p", projection.sha256, 7))
    assert (projected.dim, projected.fused_dim) == (7, 192)
    assert projected.fingerprint != spec.fingerprint
    networks = [Given(vectors(1)), Given(vectors(2))]
    plain = Extractor(spec, networks).embed([PIXELS, PIXELS])
    got = Extractor(projected, networks, projection=projection).embed([PIXELS, PIXELS])
    expected = (plain - projection.mean) @ matrix
    np.testing.assert_allclose(
        got, expected / np.linalg.norm(expected, axis=1, keepdims=True), rtol=1e-4, atol=1e-5
    )
    for wrong in (None, Projection.of(projection.mean, 2 * matrix)):
        with pytest.raises(SpecError, match="projection"):
            Extractor(projected, networks, projection=wrong)


def test_a_projection_comes_back_from_its_file_and_damage_is_refused(tmp_path):
    projection = Projection.of(np.zeros(4, np.float32), np.eye(4, 2, dtype=np.float32))
    write_projection(tmp_path / "p.safetensors", projection)
    assert Projection.read(tmp_path / "p.safetensors").sha256 == projection.sha256
    (tmp_path / "p.safetensors").write_bytes(b"no")
    for name in ("p.safetensors", "missing.safetensors"):
        with pytest.raises(WeightsError, match="can't be read"):
            Projection.read(tmp_path / name)
    write_projection(tmp_path / "p.safetensors", Projection.of(np.full(4, np.nan), np.eye(4)))
    with pytest.raises(WeightsError, match="finite"):
        Projection.read(tmp_path / "p.safetensors")


@pytest.mark.parametrize(("value", "named"), [(np.nan, "not finite"), (np.inf, "not finite")])
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
