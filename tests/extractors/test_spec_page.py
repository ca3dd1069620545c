from __future__ import annotations

from dataclasses import replace

import pytest

from cbir.errors import SpecError
from cbir.extractors.preset import read_preset
from cbir.extractors.spec import BranchSpec, ProjectionSpec, TileSpec, WeightsRef
from cbir.extractors.spec.views import FIVE
from cbir.extractors.spec_page import spec_page
from cbir.images.slides.spec import SlideSpec
from cbir.images.steps import Grey, Resize
from cbir.images.tiles import TileGrid

SOURCES = ("file:weights/a.safetensors", "hub:timm/x@1")


def read_back(tmp_path, spec, text):
    (tmp_path / "page.toml").write_text(text, encoding="utf-8")
    preset = read_preset(tmp_path / "page.toml")
    return preset, preset.with_weights([branch.weights for branch in spec.branches], spec.projection)


def test_a_page_gives_its_spec_back(tmp_path, spec):
    preset, again = read_back(tmp_path, spec, spec_page(spec, SOURCES))
    assert again == spec
    assert [branch.weights.location for branch in preset.branches] == list(SOURCES)
    assert [branch.weights.sha256 for branch in preset.branches] == ["ab" * 32] * 2


@pytest.mark.parametrize(
    "change",
    [
        {"tta": FIVE},
        {"tiles": TileSpec(TileGrid(2), "parts")},
        {"slides": SlideSpec(0.5, 256)},
        {"projection": ProjectionSpec("head.safetensors", "cd" * 32, 12)},
    ],
)
def test_so_it_does_with_everything_a_spec_may_have(tmp_path, spec, change):
    changed = replace(spec, **change)
    assert read_back(tmp_path, changed, spec_page(changed, SOURCES))[1] == changed


def test_a_descriptor_has_no_source(tmp_path, spec):
    descriptor = BranchSpec(
        "handcrafted:hog", WeightsRef("hog", "ef" * 32), (Resize(128, 128), Grey()), "model", 1764
    )
    mixed = replace(spec, branches=(spec.branches[0], descriptor))
    preset, again = read_back(tmp_path, mixed, spec_page(mixed, (SOURCES[0], None)))
    assert again == mixed
    assert preset.branches[1].weights is None
    with pytest.raises(SpecError, match="a network has one"):
        spec_page(mixed, SOURCES)


def test_remarks_are_comments_whatever_is_in_them(tmp_path, spec):
    text = spec_page(spec, SOURCES, remarks=["made by\nname = 'evil'", "of \x1b[31m"])
    assert read_back(tmp_path, spec, text)[1] == spec
    assert text.startswith("# made by?name = 'evil'\n")


def test_a_folder_with_a_page_is_an_extractor(tmp_path, spec):
    run = tmp_path / "run"
    run.mkdir()
    with pytest.raises(SpecError, match=r"a folder without extractor\.toml"):
        read_preset(run)
    (run / "extractor.toml").write_text(spec_page(spec, SOURCES))
    assert read_preset(run).name == "two"
    assert read_preset(str(run)).folder == run


def test_what_is_none_of_them_is_said_in_one_line(tmp_path):
    with pytest.raises(SpecError, match=r"no preset \(quick.*no run of cbir train"):
        read_preset(tmp_path / "nothing")
