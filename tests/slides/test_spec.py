"""What a page may say of slides, and what it decides."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cbir.errors import SpecError
from cbir.extractors.preset import read_preset
from cbir.extractors.spec import ExtractorSpec
from cbir.images.slides.spec import SlideSpec


@pytest.fixture
def spec(tiny_model):
    return ExtractorSpec.from_dict(json.loads((tiny_model / "spec.json").read_text()))


def test_a_magnification_is_kept_as_microns_a_pixel():
    assert SlideSpec.from_dict({"magnification": 20, "tile_px": 256}) == SlideSpec(mpp=0.5, tile_px=256)
    assert SlideSpec.from_dict({"mpp": 0.5, "tile_px": 256}) == SlideSpec(mpp=0.5, tile_px=256)


def test_a_spec_comes_back_from_json_as_it_was(spec):
    with_slides = replace(spec, slides=SlideSpec(0.25, 512, 0.5, 0.1, 7))
    assert ExtractorSpec.from_dict(json.loads(json.dumps(with_slides.to_dict()))) == with_slides


def test_slides_are_in_the_fingerprint_and_without_them_it_is_the_old_one(spec):
    assert "slides" not in spec.to_dict()
    prints = {
        replace(spec, slides=slides).fingerprint
        for slides in (None, SlideSpec(0.5, 256), SlideSpec(0.5, 256, min_tissue=0.4), SlideSpec(1.0, 256))
    }
    assert len(prints) == 4
    assert spec.fingerprint in prints


def test_a_page_says_it_in_a_table_of_its_own(tiny_model, tmp_path):
    page = (tiny_model / "tiny.toml").read_text() + "\n[slides]\nmagnification = 10\ntile_px = 128\n"
    (tmp_path / "own.toml").write_text(page)
    assert read_preset(tmp_path / "own.toml").slides == SlideSpec(mpp=1.0, tile_px=128)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"tile_px": 256}, "one of them"),
        ({"tile_px": 256, "mpp": 0.5, "magnification": 20}, "one of them"),
        ({"mpp": 0.5}, "tile_px is missing"),
        ({"mpp": 0.5, "tile_px": 256, "level": 1}, "unknown key 'level'"),
        ({"mpp": 0, "tile_px": 256}, "mpp is 0"),
        ({"mpp": float("nan"), "tile_px": 256}, "mpp is nan"),
        ({"mpp": True, "tile_px": 256}, "mpp is True"),
        ({"magnification": 0, "tile_px": 256}, "magnification is 0"),
        ({"magnification": "20x", "tile_px": 256}, "magnification is '20x'"),
        ({"mpp": 0.5, "tile_px": 256.0}, "tile_px is 256.0"),
        ({"mpp": 0.5, "tile_px": 5000}, "tile_px is 5000"),
        ({"mpp": 0.5, "tile_px": 256, "overlap": 0.8}, "overlap is 0.8"),
        ({"mpp": 0.5, "tile_px": 256, "min_tissue": -0.1}, "min_tissue is -0.1"),
        ({"mpp": 0.5, "tile_px": 256, "max_tiles": 0}, "max_tiles is 0"),
    ],
)
def test_what_makes_no_sense_is_refused_and_named(values, said):
    with pytest.raises(SpecError, match=said):
        SlideSpec.from_dict(values)
