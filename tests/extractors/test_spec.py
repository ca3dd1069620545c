"""A spec is everything that decides the numbers, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbir.errors import SpecError
from cbir.extractors.spec import BranchSpec, ExtractorSpec, FusionSpec, WeightsRef
from cbir.images.settings import ReadSpec
from cbir.images.steps import Clahe, CropBreast, Normalise, Resize

unit = st.floats(0.001, 1.0)
triples = st.tuples(unit, unit, unit)
sides = st.integers(1, 1024)
step_lists = st.tuples(
    st.lists(
        st.builds(CropBreast, st.integers(0, 99)) | st.builds(Clahe, st.floats(0.1, 9), st.integers(1, 16))
    ),
    st.builds(
        Resize,
        sides,
        sides,
        st.sampled_from(["stretch", "pad", "cover"]),
        st.sampled_from(["area", "linear", "cubic"]),
    ),
    st.builds(Normalise, triples, triples),
).map(lambda parts: (*parts[0], *parts[1:]))
weights_refs = st.builds(
    WeightsRef,
    st.text(),
    st.text("0123456789abcdef", min_size=64, max_size=64),
    st.none() | st.text(),
)
branches = st.builds(
    BranchSpec,
    st.sampled_from(["timm:resnet18", "timm:densenet121"]),
    weights_refs,
    step_lists,
    st.sampled_from(["model", "avg", "max", "gem"]),
    st.integers(1, 9999),
)
reads = st.builds(
    ReadSpec,
    st.sampled_from(["first", "middle", "all", "skip"]),
    st.sampled_from(["auto", "full"]),
    st.integers(0, 5),
)
specs = st.lists(branches, min_size=1, max_size=3).flatmap(
    lambda chosen: st.builds(
        ExtractorSpec,
        st.text(),
        reads,
        st.just(tuple(chosen)),
        st.lists(st.floats(0.01, 10), min_size=len(chosen), max_size=len(chosen)).map(
            lambda weights: FusionSpec("l2", tuple(weights))
        ),
    )
)


@given(specs)
def test_json_gives_back_the_same_spec_and_fingerprint(spec):
    back = ExtractorSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert back == spec
    assert back.fingerprint == spec.fingerprint


def test_fingerprint_never_changes_between_releases(spec):
    # Pinned: an index built by an earlier release must stay searchable.
    assert spec.fingerprint == "4f9a249f7814a64571f212802a5429378bacff61444474b08954707c03d520c7"


def test_names_and_licences_are_not_in_the_fingerprint(spec, branch):
    relabelled = replace(branch, weights=WeightsRef("another name", branch.weights.sha256, None))
    assert replace(spec, name="other", branches=(relabelled, relabelled)).fingerprint == spec.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"backbone": "timm:resnet18"},
        {"weights": WeightsRef("seeded", "cd" * 32)},
        {"pooling": "gem"},
        {"dim": 97},
        {"preprocess": (Resize(32, 48, "pad", "area"), Normalise((0.5, 0.25, 0.125), (0.5, 0.5, 0.5)))},
        {
            "preprocess": (
                Clahe(2.0, 8),
                Resize(32, 48, "pad", "area"),
                Normalise((0.5, 0.25, 0.126), (0.5, 0.5, 0.5)),
            )
        },
        {
            "preprocess": (
                Clahe(2.0, 8),
                Resize(32, 48, "pad", "linear"),
                Normalise((0.5, 0.25, 0.125), (0.5, 0.5, 0.5)),
            )
        },
    ],
)
def test_whatever_decides_a_branchs_numbers_changes_the_fingerprint(spec, branch, change):
    changed = replace(spec, branches=(replace(branch, **change), branch))
    assert changed.fingerprint != spec.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"read": ReadSpec("middle", "full", 1)},
        {"read": ReadSpec("first", "auto", 1)},
        {"read": ReadSpec("first", "full", 0)},
        {"fusion": FusionSpec("l2", (0.5, 1.0))},
    ],
)
def test_reading_and_fusion_change_the_fingerprint(spec, change):
    assert replace(spec, **change).fingerprint != spec.fingerprint


def test_dim_is_the_sum_of_the_branches(spec):
    assert spec.dim == 192


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"backbone": "densenet121"}, "timm:MODEL"),
        ({"backbone": "timm:"}, "timm:MODEL"),
        ({"pooling": "mean"}, "'mean'"),
        ({"dim": 0}, "dim is 0"),
        ({"dim": True}, "dim is True"),
        ({"preprocess": ()}, "normalise"),
        ({"preprocess": (Normalise((0.5,) * 3, (0.5,) * 3),)}, "resize"),
        ({"preprocess": (Normalise((0.5,) * 3, (0.5,) * 3), Resize(8, 8))}, "normalise"),
    ],
)
def test_a_branch_that_makes_no_sense_is_refused(branch, change, named):
    with pytest.raises(SpecError, match=named):
        replace(branch, **change)


@pytest.mark.parametrize("weights", [(), (0.0, 1.0), (-1.0, 1.0), (float("nan"), 1.0), (float("inf"), 1.0)])
def test_fusion_weights_are_positive_numbers(weights):
    with pytest.raises(SpecError, match="positive"):
        FusionSpec("l2", weights)


def test_each_branch_has_one_fusion_weight(spec):
    with pytest.raises(SpecError, match="2 branches and 1 fusion"):
        replace(spec, fusion=FusionSpec())
    with pytest.raises(SpecError, match="no branch"):
        replace(spec, branches=())


@pytest.mark.parametrize("sha256", ["", "ab" * 31, "AB" * 32, "zz" * 32])
def test_a_sha256_is_64_lower_case_hex_digits(sha256):
    with pytest.raises(SpecError, match="sha256"):
        WeightsRef("x", sha256)


def _damage(values: dict, path: list, value: object) -> dict:
    copy = json.loads(json.dumps(values))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copy


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (["format"], 2, "format is 2"),
        (["surprise"], 1, "surprise"),
        (["name"], 3, "name is 3"),
        (["read"], "x", "read is"),
        (["read"], {"voi": "none"}, "voi"),
        (["branches"], {}, "branches is"),
        (["branches"], ["x"], "branch is"),
        (["branches", 0, "dim"], "96", "dim is '96'"),
        (["branches", 0, "extra"], 1, "extra"),
        (["branches", 0, "preprocess"], [{"step": "blur"}], "blur"),
        (["branches", 0, "weights"], None, "weights is None"),
        (["branches", 0, "weights", "sha256"], "1", "sha256"),
        (["fusion", "method"], "raw", "raw"),
        (["fusion", "weights"], ["1", 1], "number"),
        (["fusion", "weights"], [True, 1], "number"),
    ],
)
def test_a_damaged_dictionary_is_a_spec_error_that_names_the_place(spec, path, value, named):
    with pytest.raises(SpecError, match=named):
        ExtractorSpec.from_dict(_damage(spec.to_dict(), path, value))


@settings(max_examples=40)
@given(st.recursive(st.none() | st.integers() | st.text(), lambda x: st.dictionaries(st.text(), x)))
def test_nonsense_is_always_a_spec_error(nonsense):
    with pytest.raises(SpecError):
        ExtractorSpec.from_dict({"format": 1, "branches": nonsense, "name": "x"})
