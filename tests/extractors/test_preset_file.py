from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cbir.errors import SpecError
from cbir.extractors.preset import PRESETS, read_preset
from cbir.extractors.preset_file import write_page
from cbir.extractors.projection import Projection
from cbir.extractors.spec import FusionSpec

PAGE = """
# Mine.
name = "mine"
projection = "sub/white.safetensors"

[[branch]]
backbone = "dir:models/uni"   # fetched by hand
dim = 8
preprocess = [
    { step = "resize", height_px = 8, width_px = 8 },
    { step = "normalise", mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] },
]

[[branch]]
backbone = "timm:test_resnet"
dim = 96
preprocess = [
    { step = "resize", height_px = 8, width_px = 8 },
    { step = "normalise", mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] },
]

[branch.weights]
source = "file:é.safetensors"

[[branch]]
backbone = "handcrafted:hog"
dim = 1764
preprocess = [{ step = "resize", height_px = 128, width_px = 128 }, { step = "grey" }]

[fusion]
method = "raw"
"""
PROJECTION = Projection.of(np.zeros(3), np.eye(3, 2))


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "old" / "mine.toml").write_text(PAGE, encoding="utf-8")
    return tmp_path / "old" / "mine.toml"


def test_a_page_in_the_same_folder_differs_in_what_was_asked_for_alone(page):
    target = page.with_name("é.toml")
    fusion = FusionSpec("score", (0.5, 0.25, 0.25))
    assert write_page(page, target, fusion=fusion, remarks=["by hand"]) == [target]
    before, after = read_preset(page), read_preset(target)
    assert after.branches == before.branches
    assert (after.name, after.fusion, after.projection) == ("é", fusion, before.projection)
    text = target.read_text(encoding="utf-8")
    assert text.startswith("# by hand\n")
    assert "# Mine." in text
    assert "# fetched by hand" in text


def test_in_another_folder_its_files_are_named_from_anywhere(page, tmp_path):
    write_page(page, tmp_path / "new" / "page.toml", fusion=FusionSpec("score", (1, 1, 1)))
    moved = read_preset(tmp_path / "new" / "page.toml")
    old = page.parent
    assert moved.branches[0].backbone == f"dir:{old / 'models' / 'uni'}"
    assert moved.branches[1].weights.location == f"file:{old / 'é.safetensors'}"
    assert moved.branches[1].weights.name == "é.safetensors"
    assert moved.projection == str(old / "sub" / "white.safetensors")


def test_a_projection_is_written_beside_the_page_that_names_it(page, tmp_path):
    target = tmp_path / "new" / "white.toml"
    assert write_page(page, target, projection=PROJECTION) == [target, target.with_suffix(".safetensors")]
    written = read_preset(target)
    assert written.projection == "white.safetensors"
    assert Projection.read(written.folder / written.projection).sha256 == PROJECTION.sha256
    assert sorted(each.name for each in target.parent.iterdir()) == ["white.safetensors", "white.toml"]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_can_be_written(name, tmp_path):
    write_page(PRESETS[name], tmp_path / "own.toml", projection=PROJECTION)
    own, preset = read_preset(tmp_path / "own.toml"), read_preset(name)
    assert (own.branches, own.read, own.fusion) == (preset.branches, preset.read, preset.fusion)
    assert own.projection == "own.safetensors"


def test_a_remark_stays_a_remark(page):
    target = page.with_name("page.toml")
    write_page(page, target, remarks=["a\nname = 'b'", "caf\udce9 \x1b[31m"])
    assert read_preset(target).name == "page"


def test_nothing_is_left_of_a_page_that_can_not_be_read(page):
    target = page.with_name("page.toml")
    with pytest.raises(SpecError, match="weights"):
        write_page(page, target, fusion=FusionSpec("l2", (1.0,)), projection=PROJECTION)
    assert [each.name for each in page.parent.iterdir()] == ["mine.toml"]


def test_a_file_that_is_there_is_never_written_over(page):
    with pytest.raises(SpecError, match=r"mine\.toml is there already"):
        write_page(page, page)
    page.with_name("page.safetensors").symlink_to("nowhere")
    with pytest.raises(SpecError, match=r"page\.safetensors is there already"):
        write_page(page, page.with_name("page.toml"))
