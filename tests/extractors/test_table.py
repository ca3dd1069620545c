"""The table of presets in docs/extractors.md is what the presets are.

When they change on purpose: CBIR_WRITE_DOCS=1 .venv/bin/pytest tests/extractors/test_table.py
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import torch

from cbir.extractors.backbone_name import BackboneName
from cbir.extractors.handcrafted.network import descriptor_ref
from cbir.extractors.heads import create_head
from cbir.extractors.preset import PRESETS, PlannedBranch, Preset, WeightsSource, read_preset
from cbir.extractors.spec import WeightsRef
from cbir.extractors.timm_model import create_timm
from cbir.extractors.weights import find_weights, known_weights

DOCS = Path(__file__).resolve().parents[2] / "docs" / "extractors.md"
HEAD = ("preset", "branches", "input px", "dim", "parameters", "fingerprint", "licence")
TABLE = re.compile(rf"^\| {HEAD[0]} \| {HEAD[1]} \|.*\n(\|.*\n)*", re.MULTILINE)


def table() -> str:
    rows = [HEAD, ("---",) * len(HEAD), *(row_of(name) for name in PRESETS)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def row_of(name: str) -> tuple[str, ...]:
    preset = read_preset(name)
    shapes = [planned.with_weights(WeightsRef("any", "0" * 64)).input_shape for planned in preset.branches]
    licences = [planned.weights.license for planned in preset.branches if planned.weights]
    return (
        f"`{name}`",
        " + ".join(said(planned) for planned in preset.branches),
        ", ".join(str(height) for _, height, _ in shapes),
        str(sum(planned.dim for planned in preset.branches)),
        f"{sum(map(n_parameters, preset.branches)) / 1e6:.2f} M",
        fingerprint(preset),
        ", ".join(dict.fromkeys(str(each) for each in licences)) or "–",
    )


def said(planned: PlannedBranch) -> str:
    _, _, model = planned.backbone.partition(":")
    model, _, args = model.partition(" ")
    return f"{model} with a metric head" if "metric" in args else model


def n_parameters(planned: PlannedBranch) -> int:
    if planned.weights is None:
        return 0
    with torch.device("meta"):
        model = create_timm(planned.backbone)
        head = BackboneName.parse(planned.backbone).head
        parts = [model, create_head(head, model.num_features)] if head else [model]
    return sum(each.numel() for part in parts for each in part.parameters())


def fingerprint(preset: Preset) -> str:
    """Its first 8 digits, where it is known before any file is there."""
    refs = []
    for planned in preset.branches:
        sha256 = digest_of(planned)
        if sha256 is None:
            sources = [each.weights.location for each in preset.branches if each.weights]
            return "after training" if any(each.startswith("run:") for each in sources) else "after pull"
        refs.append(WeightsRef("any", sha256))
    return f"`{preset.with_weights(refs).fingerprint[:8]}`"


def digest_of(planned: PlannedBranch) -> str | None:
    source = planned.weights
    if source is None:
        return descriptor_ref(planned.backbone.partition(":")[2]).sha256
    known = known_weights().get(source.location)
    return source.sha256 or (known.sha256 if known else None)


def test_the_table_of_presets_is_what_the_presets_are():
    text, made = DOCS.read_text(encoding="utf-8"), table()
    (found,) = TABLE.finditer(text)
    if os.environ.get("CBIR_WRITE_DOCS") == "1":
        DOCS.write_text(text[: found.start()] + made + text[found.end() :], encoding="utf-8")
        return
    assert found[0] == made, "run: CBIR_WRITE_DOCS=1 .venv/bin/pytest tests/extractors/test_table.py"


def test_the_readme_names_every_preset_with_its_dim():
    readme = (DOCS.parents[1] / "README.md").read_text(encoding="utf-8")
    for name in PRESETS:
        (line,) = [each for each in readme.splitlines() if each.startswith("| `") and f"`{name}`" in each]
        assert f"{sum(planned.dim for planned in read_preset(name).branches)}" in line


def test_counts_of_parameters_are_those_that_are_published():
    # torchvision's documentation: 7,978,856, 25,557,032 and 138,357,544, their last layers among them.
    published = {"densenet121": 7_978_856, "resnet50": 25_557_032, "vgg16": 138_357_544}
    for name, count in published.items():
        (planned,) = read_preset(name).branches
        assert n_parameters(planned) == count - 1000 * (planned.dim + 1)


def test_the_fingerprint_in_the_table_is_that_of_the_installed_weights(tmp_path):
    preset = read_preset("quick")
    source = preset.branches[0].weights
    assert isinstance(source, WeightsSource)
    found = find_weights(source, tmp_path, offline=True)
    expected = preset.with_weights([found.ref]).fingerprint
    assert f"`{expected[:8]}`" == fingerprint(preset)


@pytest.mark.parametrize("name", ["mega", "mixed"])
def test_a_fingerprint_is_not_said_before_all_weights_are_known(name):
    assert fingerprint(read_preset(name)) == {"mega": "after pull", "mixed": "after training"}[name]
