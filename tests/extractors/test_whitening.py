from __future__ import annotations

import numpy as np
import pytest

from cbir.errors import SpecError, VectorError
from cbir.extractors.fitting.whitening import whiten

SHAPES = ((400, 20), (90, 200))
"""More rows than numbers in a row, and fewer."""


def made(n_rows: int, n_in: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n_rows, n_in)) @ rng.normal(size=(n_in, n_in)) + 3).astype(np.float32)


def labelled(n_rows: int, n_in: int, n_classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    codes = rng.integers(0, n_classes, n_rows)
    apart = rng.normal(size=(n_classes, n_in)) * 3
    return (made(n_rows, n_in) + apart[codes]).astype(np.float32), codes


def within(vectors: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The rows less the mean of their class."""
    centred = vectors.astype(np.float64)
    for code in np.unique(codes):
        centred[codes == code] -= centred[codes == code].mean(axis=0)
    return centred


@pytest.mark.parametrize("shape", SHAPES)
def test_without_shrinkage_the_rows_covariance_becomes_the_identity(shape):
    vectors = made(*shape)
    white = whiten(vectors, dim=12, shrinkage=0.0).apply(vectors).astype(np.float64)
    assert np.allclose(np.cov(white.T, bias=True), np.eye(12), atol=1e-5)
    assert np.allclose(white.mean(axis=0), 0, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_sklearns_pca_up_to_sign_and_its_divisor(shape):
    from sklearn.decomposition import PCA

    vectors = made(*shape)
    theirs = PCA(12, whiten=True, svd_solver="full").fit_transform(vectors.astype(np.float64))
    theirs *= np.sqrt(shape[0] / (shape[0] - 1))
    ours = whiten(vectors, dim=12, shrinkage=0.0).apply(vectors)
    assert np.allclose(np.abs(ours), np.abs(theirs), atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_shrinkage_is_that_of_ledoit_and_wolf_in_sklearn(shape):
    from sklearn.covariance import ledoit_wolf

    vectors = made(*shape)
    covariance, _ = ledoit_wolf(vectors.astype(np.float64))
    matrix = whiten(vectors, dim=12).layers[0].matrix.astype(np.float64)
    assert np.allclose(matrix.T @ covariance @ matrix, np.eye(12), atol=1e-5)


def test_all_of_the_shrinkage_leaves_the_principal_directions_at_one_length():
    matrix = whiten(made(400, 20), dim=12, shrinkage=1.0).layers[0].matrix
    lengths = np.linalg.norm(matrix, axis=0)
    assert np.allclose(lengths, lengths[0])


@pytest.mark.parametrize("labels", [None, True])
def test_the_same_rows_give_the_same_numbers_whatever_their_sign(labels):
    vectors, codes = labelled(400, 20)
    names = [f"c{code}" for code in codes] if labels else None
    first, second = (whiten(vectors, dim=3, labels=names) for _ in range(2))
    assert first.sha256 == second.sha256
    largest = np.abs(first.layers[0].matrix).argmax(axis=0)
    assert (first.layers[0].matrix[largest, np.arange(3)] > 0).all()


def test_blocks_do_not_show():
    vectors = made(5000, 6)
    white = whiten(vectors, shrinkage=0.0).apply(vectors).astype(np.float64)
    assert np.allclose(np.cov(white.T, bias=True), np.eye(6), atol=1e-5)


@pytest.mark.parametrize("dim", [None, 2, 10])
def test_with_labels_the_covariance_within_the_classes_becomes_the_identity(dim):
    vectors, codes = labelled(400, 20)
    found = whiten(vectors, dim=dim, shrinkage=0.0, labels=[str(code) for code in codes])
    assert found.dim == (dim or 3)
    spread = within(found.apply(vectors), codes)
    assert np.allclose(spread.T @ spread / 400, np.eye(found.dim), atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("shrinkage", [0.1, "ledoit-wolf"])
def test_with_labels_the_shrunk_covariance_becomes_the_identity(shape, shrinkage):
    from sklearn.covariance import ledoit_wolf, shrunk_covariance

    vectors, codes = labelled(*shape)
    spread = within(vectors, codes)
    covariance = (
        ledoit_wolf(spread, assume_centered=True)[0]
        if shrinkage == "ledoit-wolf"
        else shrunk_covariance(spread.T @ spread / len(spread), shrinkage)
    )
    matrix = (
        whiten(vectors, dim=10, shrinkage=shrinkage, labels=[f"é{code}" for code in codes]).layers[0].matrix
    )
    turned = matrix.T.astype(np.float64) @ covariance @ matrix
    assert np.allclose(turned, np.eye(10), atol=1e-5)


def test_with_labels_the_first_directions_are_those_of_sklearns_discriminant():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    vectors, codes = labelled(400, 20)
    theirs = LinearDiscriminantAnalysis(solver="svd").fit(vectors.astype(np.float64), codes)
    ours = whiten(vectors, dim=10, shrinkage=0.0, labels=[str(code) for code in codes]).apply(vectors)
    telling = theirs.transform(vectors.astype(np.float64))
    for column in range(3):
        assert abs(np.corrcoef(ours[:, column], telling[:, column])[0, 1]) == pytest.approx(1, abs=1e-5)


def test_behind_the_telling_directions_the_classes_means_are_one():
    vectors, codes = labelled(400, 20)
    white = whiten(vectors, dim=10, shrinkage=0.1, labels=[str(code) for code in codes]).apply(vectors)
    means = np.array([white[codes == code].mean(axis=0) for code in range(4)])
    assert np.ptp(means[:, :3], axis=0).min() > 1
    assert np.ptp(means[:, 3:], axis=0).max() < 1e-4


def test_equal_means_of_the_classes_leave_the_directions_within_them():
    half = made(40, 5)
    vectors, labels = np.vstack([half, half]), ["a"] * 40 + ["b"] * 40
    assert np.isfinite(whiten(vectors, dim=3, labels=labels).layers[0].matrix).all()


@pytest.mark.parametrize(("n_rows", "most"), [(5, 1), (8, 1), (9, 2), (100, 24)])
def test_dim_stays_below_a_quarter_of_the_rows(n_rows, most):
    vectors = made(n_rows, 30)
    assert whiten(vectors).dim == most
    with pytest.raises(SpecError, match=rf"dim is {most + 1}, and there are {n_rows} rows.*at most {most}\."):
        whiten(vectors, dim=most + 1)


def test_no_more_directions_come_out_than_the_rows_vary_in():
    flat = made(100, 30)
    flat[:, 3:] = 0.25
    assert whiten(flat).dim == 3
    with pytest.raises(VectorError, match="dim is 4, and the rows vary in 3 directions"):
        whiten(flat, dim=4)


@pytest.mark.parametrize("n_in", [3, 300])
def test_rows_that_are_all_the_same_are_refused(n_in):
    with pytest.raises(VectorError, match="all the same"):
        whiten(np.full((40, n_in), 0.1, dtype=np.float32))


def test_what_makes_no_sense_is_refused():
    vectors, codes = labelled(100, 6)
    names = [str(code) for code in codes]
    with pytest.raises(SpecError, match=r"Shrinkage is 1\.5"):
        whiten(vectors, shrinkage=1.5)
    with pytest.raises(SpecError, match="Shrinkage is nan"):
        whiten(vectors, shrinkage=float("nan"))
    with pytest.raises(SpecError, match="dim is 0"):
        whiten(vectors, dim=0)
    with pytest.raises(SpecError, match="dim is 7, and the rows have 6 numbers"):
        whiten(vectors, dim=7)
    with pytest.raises(SpecError, match="have 1 label"):
        whiten(vectors, labels=["a"] * 100)
    with pytest.raises(SpecError, match="99 labels for 100 rows"):
        whiten(vectors, labels=names[1:])
    with pytest.raises(SpecError, match="at most 0"):
        whiten(vectors[:4])
    vectors[7, 2] = np.nan
    with pytest.raises(VectorError, match="Row 7 of 100 is not finite"):
        whiten(vectors)


def test_labels_whose_rows_do_not_vary_are_refused():
    vectors = np.repeat(np.eye(3, dtype=np.float32), 20, axis=0)
    with pytest.raises(VectorError, match="do not vary within a label"):
        whiten(vectors, labels=["a"] * 20 + ["b"] * 20 + ["c"] * 20)


def test_fewer_rows_than_numbers_need_a_shrinkage_with_labels():
    vectors, codes = labelled(90, 200)
    with pytest.raises(VectorError, match=r"vary in \d+ of 89 directions; give a shrinkage above 0"):
        whiten(vectors, shrinkage=0.0, labels=[str(code) for code in codes])
