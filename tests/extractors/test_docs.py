"""What docs/extractors.md tells a reader to write works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cbir.extractors.own_name import names_own_model, own_sources
from cbir.extractors.preset import read_preset
from cbir.extractors.weights import HubLocation, known_weights

DOCS = Path(__file__).resolve().parents[2] / "docs" / "extractors.md"
TEXT = DOCS.read_text(encoding="utf-8")
BACKBONES = [
    said.strip("\"'").replace("REVISION", "0" * 40)
    for said in re.findall(r"""^backbone = ('[^']+'|"[^"]+")""", TEXT, re.MULTILINE)
]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_every_whole_page_is_a_preset(tmp_path):
    pages = [block for block in blocks("toml") if block.startswith("name =")]
    assert len(pages) >= 2
    for page in pages:
        (tmp_path / "page.toml").write_text(page)
        assert read_preset(tmp_path / "page.toml").branches


@pytest.mark.parametrize("backbone", BACKBONES)
def test_timm_knows_every_backbone_and_its_arguments(backbone):
    import torch

    from cbir.extractors.timm_model import create_timm

    if names_own_model(backbone):
        assert own_sources(backbone)
        return
    if backbone.startswith("timm:"):
        with torch.device("meta"):  # of some the weights alone take a gigabyte
            assert create_timm(backbone)


def test_every_hub_source_can_be_read_and_ours_have_the_licences_that_we_say():
    sources = {
        each.replace("REVISION", "0" * 40)
        for each in re.findall(r'^source = "hub:([^"]+)"', TEXT, re.MULTILINE)
    }
    assert len(sources) >= 3
    for each in sources:
        HubLocation.parse(each)
    assert known_weights()["hub:timm/vit_small_patch14_reg4_dinov2.lvd142m"].license == "Apache-2.0"


def test_the_renaming_of_radimagenet_gives_timms_names(tmp_path, monkeypatch):
    import timm
    import torch
    from safetensors.torch import load_file
    from torchvision.models import resnet50

    monkeypatch.chdir(tmp_path)
    layers = torch.nn.Sequential(*list(resnet50(weights=None).children())[:-1])
    torch.save({f"backbone.{name}": value for name, value in layers.state_dict().items()}, "ResNet50.pt")
    (program,) = blocks("python")
    exec(compile(program, "docs", "exec"), {})  # noqa: S102
    assert set(load_file("radimagenet.safetensors")) == set(
        timm.create_model("resnet50", num_classes=0).state_dict()
    )
