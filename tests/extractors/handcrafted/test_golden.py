"""Values that follow from the definitions."""

from __future__ import annotations

import numpy as np
import pytest

from cbir.extractors.handcrafted import Gist, Glcm, Hog, Lbp, Zernike


def test_lbp_of_a_black_image_has_all_its_mass_in_bin_p():
    expected = np.zeros(54)
    expected[[8, 10 + 16, 28 + 24]] = 1
    np.testing.assert_array_equal(Lbp().describe(np.zeros((50, 40), np.uint8)), expected)


@pytest.mark.parametrize("grey", [1, 100, 255])
def test_lbp_of_a_constant_image_has_the_mass_of_all_whole_circles_in_bin_p(grey):
    """Beyond the edge all is black, as in scikit-image: only circles inside are constant."""
    height, width = 50, 40
    vector = Lbp().describe(np.full((height, width), grey, np.uint8))
    for radius, bin_p in ((1, 8), (2, 10 + 16), (3, 28 + 24)):
        inside = (height - 2 * radius) * (width - 2 * radius)
        assert vector[bin_p] == pytest.approx(inside / (height * width))


def test_lbp_histograms_each_sum_to_one():
    grey = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    first, second, third = np.split(Lbp().describe(grey), [10, 28])
    assert (first.sum(), second.sum(), third.sum()) == (pytest.approx(1), pytest.approx(1), pytest.approx(1))


def test_gist_of_a_constant_image_is_zero():
    assert np.abs(Gist().describe(np.full((256, 256), 200, np.uint8))).max() < 1e-6


def test_gist_of_a_grating_is_strongest_in_the_filter_across_it():
    """0.3 cycles a pixel to the right is the middle of the first scale's first filter."""
    wave = np.sin(2 * np.pi * 0.3 * np.arange(256)) * 60 + 128
    grey = np.tile(wave, (256, 1)).astype(np.uint8)
    strengths = Gist().describe(grey).reshape(20, 16).mean(axis=1)
    assert strengths.argmax() == 0


def test_hog_of_a_constant_image_is_zero():
    assert not Hog().describe(np.full((128, 128), 200, np.uint8)).any()


def test_hog_of_upright_edges_lies_in_the_first_bin():
    grey = np.tile(np.repeat(np.array([0, 255], np.uint8), 8), (128, 8))
    cells = Hog().describe(grey).reshape(-1, 9)
    assert cells[:, 0].min() > 0.1
    assert not cells[:, 1:].any()


def test_glcm_of_a_constant_image_is_pure():
    expected = np.tile(
        [0, 0, 1, 1, 1, 0], 3
    )  # contrast, dissimilarity, homogeneity, energy, correlation, entropy
    np.testing.assert_allclose(Glcm().describe(np.full((64, 64), 90, np.uint8)), expected, atol=1e-7)


def test_glcm_of_stripes_by_hand():
    """Columns 0, 31, 0, 31 …: at distance 1 only up and down are equal pairs, at odd distances too."""
    grey = np.tile(np.array([0, 255], np.uint8), (64, 32))
    contrast, dissimilarity, _, _, correlation, _ = Glcm().describe(grey)[:6]
    assert contrast == pytest.approx(3 / 4 * 31**2)
    assert dissimilarity == pytest.approx(3 / 4 * 31)
    assert correlation == pytest.approx((1 - 3) / 4)


def test_zernike_of_a_black_image_is_zero():
    assert not Zernike().describe(np.zeros((64, 64), np.uint8)).any()


def test_zernike_of_an_image_black_within_its_disc_is_zero():
    """The mass lies at both ends, its centre between them."""
    grey = np.zeros((10, 200), np.uint8)
    grey[:, 0] = grey[:, -1] = 255
    assert not Zernike().describe(grey).any()


def test_zernike_does_not_see_a_quarter_turn():
    grey = np.random.default_rng(0).integers(0, 256, (65, 65), dtype=np.uint8)
    np.testing.assert_allclose(
        Zernike().describe(np.rot90(grey).copy()), Zernike().describe(grey), rtol=0, atol=1e-5
    )
