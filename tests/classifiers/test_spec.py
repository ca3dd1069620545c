"""A classifier's spec: what it holds, what it refuses, what its fingerprint knows."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cbir.errors import SpecError
from cbir.extractors.spec import WeightsRef
from cbir.images.settings import ReadSpec
from cbir.images.steps import Normalise, Resize
from cbir.training.recipe.entry import Named
from classifiers.spec import ClassifierSpec

SPEC = ClassifierSpec(
    name="density",
    network=Named("dal-hybrid", {"scales": "C5"}),
    backbones=("timm:test_resnet",),
    weights=WeightsRef("density", "a" * 64),
    read=ReadSpec(),
    preprocess=(Resize(64, 64), Normalise((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))),
    classes=("F", "G", "D"),
    is_ordinal=True,
)


def test_it_goes_to_json_and_back():
    assert ClassifierSpec.from_dict(json.loads(json.dumps(SPEC.to_dict()))) == SPEC


def test_the_fingerprint_knows_what_decides_numbers_and_no_names():
    renamed = replace(SPEC, name="other", weights=WeightsRef("other", "a" * 64, "MIT"))
    assert renamed.fingerprint == SPEC.fingerprint
    for changed in (
        replace(SPEC, temperature=1.5),
        replace(SPEC, classes=("G", "F", "D")),
        replace(SPEC, is_ordinal=False),
        replace(SPEC, weights=WeightsRef("density", "b" * 64)),
        replace(SPEC, read=ReadSpec(voi="full")),
    ):
        assert changed.fingerprint != SPEC.fingerprint


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"classes": ("F",)}, "at least two classes"),
        ({"classes": ("F", "F")}, "a name of its own"),
        ({"classes": ("F", "")}, "a name of its own"),
        ({"temperature": 0.0}, "temperature is 0.0; it must be positive"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"backbones": ()}, "no backbone"),
        ({"backbones": ('timm:test_resnet {"head": "metric"}',)}, "has a head of its own"),
        ({"backbones": ("resnet",)}, "write timm:MODEL"),
        ({"network": Named("dal")}, "unknown network 'dal'"),
        ({"network": Named("se-densenet", {"scales": "C5"})}, "unknown setting 'scales'"),
        ({"preprocess": (Resize(64, 64),)}, "must be normalise"),
        ({"preprocess": (Normalise((0, 0, 0), (1, 1, 1)),)}, "add a resize"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(changes, problem):
    with pytest.raises(SpecError, match=problem) as caught:
        replace(SPEC, **changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"format": 2}, "format is 2, this cbir reads 1"),
        ({"extra": 1}, "unknown key 'extra'"),
        ({"is_ordinal": "yes"}, "must be true or false"),
        ({"classes": [1, 2]}, "a list of texts"),
        ({"temperature": "warm"}, "must be a number"),
    ],
)
def test_a_page_that_makes_no_sense_is_refused(changes, problem):
    with pytest.raises(SpecError, match=problem):
        ClassifierSpec.from_dict(SPEC.to_dict() | changes)
