"""A spec of embeddings that were computed elsewhere: known by name, comparable by name, not to be run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from cbir.errors import SpecError
from cbir.extractors.imported import imported_spec
from cbir.extractors.spec import ExtractorSpec, FusionSpec


def test_it_can_not_embed_and_every_other_spec_can(spec):
    assert spec.can_embed
    imported = imported_spec("biomedclip", 512)
    assert not imported.can_embed
    assert (imported.name, imported.dim) == ("biomedclip", 512)


def test_its_fingerprint_never_changes_between_releases():
    # Pinned: two imports under one name must stay comparable.
    pinned = "af1b440235896c6b873c233c0a2894d0bf529e4f509c76d87bd1f776cd0de0f3"
    assert imported_spec("biomedclip", 512).fingerprint == pinned


def test_the_name_the_dim_and_the_checksum_make_the_fingerprint():
    made = [
        imported_spec("a", 4),
        imported_spec("b", 4),
        imported_spec("a", 5),
        imported_spec("a", 4, sha256="ab" * 32),
    ]
    assert len({each.fingerprint for each in made}) == 4
    assert made[0].fingerprint == imported_spec("a", 4).fingerprint
    assert made[0].branches[0].weights.sha256 == hashlib.sha256(b"a").hexdigest()


def test_json_gives_back_the_same_spec():
    spec = imported_spec("网络 é", 3)
    assert ExtractorSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


def test_an_imported_branch_is_the_only_one(spec, branch):
    (imported,) = imported_spec("a", 4).branches
    with pytest.raises(SpecError, match="imported branch among 2 branches"):
        ExtractorSpec("mixed", spec.read, (imported, branch), FusionSpec(weights=(1.0, 1.0)))


def test_an_imported_branch_has_no_preprocessing_and_no_input(branch):
    (imported,) = imported_spec("a", 4).branches
    with pytest.raises(SpecError, match="imported:a"):
        replace(imported, preprocess=branch.preprocess)
    with pytest.raises(SpecError, match="imported:a"):
        replace(imported, pooling="gem")
    with pytest.raises(SpecError, match="no network to run"):
        _ = imported.input_shape


@pytest.mark.parametrize(
    ("name", "dim", "sha256", "named"),
    [
        ("", 4, None, "name is ''"),
        (" ", 4, None, "name is ' '"),
        ("a", 0, None, "dim is 0"),
        ("a", 4, "AB", "'AB'"),
    ],
)
def test_what_makes_no_sense_is_refused(name, dim, sha256, named):
    with pytest.raises(SpecError, match=named):
        imported_spec(name, dim, sha256=sha256)
