"""What a classifier is fed with: oversampling touches the training part alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cbir.extractors.spec import BranchSpec, WeightsRef
from cbir.images.settings import ReadSpec
from cbir.images.steps import Normalise, Resize
from cbir.training.feeding.decoded import branch_plans, decode_images
from cbir.training.material import read_material
from cbir.training.recipe import Named
from classifiers.training.feed import ClassifierFeed

BRANCH = BranchSpec(
    "timm:test_resnet",
    WeightsRef("none", "ab" * 32),
    (Resize(32, 32), Normalise((0.5,) * 3, (0.5,) * 3)),
    "model",
    3,
)


@pytest.fixture(scope="module")
def decoded(items, tmp_path_factory):
    """All but two images of the first class are left out of the training part."""
    material = read_material(str(items))
    rare = [row for row in material.rows("train") if material.codes[row] == 0][2:]
    material = material.take([row for row in range(len(material.images)) if row not in rare])
    folder = tmp_path_factory.mktemp("cache")
    return decode_images(material, branch_plans(BRANCH, 40), folder, read=ReadSpec())


@pytest.fixture
def feed(decoded, recipe):
    turned = (Named("rotate", {"most_deg": 20.0}),)
    return ClassifierFeed(decoded, BRANCH, replace(recipe, oversample=True, augment=turned, cache_px=40))


def test_every_epoch_has_as_many_of_each_class(feed, decoded):
    n = len(feed.items)
    there = np.bincount(feed.codes[feed.train])
    assert there.min() < there.max()
    for epoch in range(3):
        drawn = np.concatenate(feed.batches(epoch))
        assert set(drawn % n) == set(feed.train.tolist())
        assert set(np.bincount(feed.codes[drawn % n])) == {there.max()}
        assert len(set(drawn.tolist())) == len(drawn)
    again = [batch.tolist() for batch in feed.batches(1)]
    assert again == [batch.tolist() for batch in feed.batches(1)]


def test_validation_and_test_are_never_repeated(feed, decoded, recipe):
    plain = ClassifierFeed(decoded, BRANCH, recipe)
    assert feed.validation.tolist() == plain.validation.tolist()
    assert len(set(feed.validation.tolist())) == len(feed.validation)
    n_test = len(decoded.material.rows("test"))
    assert len(feed.items) == len(decoded.material.images) - n_test
    drawn = {
        index % len(feed.items) for epoch in range(4) for b in feed.batches(epoch) for index in b.tolist()
    }
    assert drawn.isdisjoint(feed.validation.tolist())


def test_a_repeated_image_is_augmented_otherwise(feed):
    index, n = int(feed.train[0]), len(feed.items)
    once, again = feed.images(np.array([index, index + n]), 0)
    assert not torch.equal(once, again)
    assert torch.equal(feed.images(np.array([index + n]), 0)[0], again)


def test_descriptors_come_beside_the_pixels_of_their_image(decoded, recipe):
    described = np.arange(len(decoded.material.images), dtype=np.float32)[:, None]
    feed = ClassifierFeed(decoded, BRANCH, replace(recipe, oversample=True), described)
    rows = np.flatnonzero(np.asarray(decoded.material.parts) != "test")
    batch = feed.batches(0)[0]
    pixels, numbers = feed.images(batch, 0)
    assert len(pixels) == len(numbers) == len(batch)
    assert numbers[:, 0].tolist() == rows[batch % len(feed.items)].tolist()
    assert feed.validation_images(feed.validation)[1][:, 0].tolist() == rows[feed.validation].tolist()
    assert feed.training_described()[:, 0].tolist() == rows[feed.train].tolist()
