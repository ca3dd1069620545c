"""An exported network gives the original's vectors, without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from cbir.errors import SpecError, WeightsError
from cbir.extractors import exported
from cbir.extractors.exported import export, open_exported
from cbir.extractors.extractor import Extractor
from cbir.extractors.spec import FusionSpec
from cbir.runtime.openvino import OpenVinoNetwork
from cbir.runtime.pytorch import TorchNetwork

NO_TORCH = """
import json, sys
from pathlib import Path
import numpy as np
from cbir.extractors import ExtractorSpec, open_exported
spec = ExtractorSpec.from_dict(json.loads(sys.argv[1]))
extractor = open_exported(spec, Path(sys.argv[2]), runtime=sys.argv[3])
unit = extractor.embed([np.ones((2, 3, 64, 64), np.float32)])
print(unit.shape, sorted({"torch", "timm", "onnx", "cv2"} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def densenet_folder(densenet, tmp_path_factory):
    folder = tmp_path_factory.mktemp("densenet")
    export(densenet, folder)
    return folder


@pytest.fixture(scope="module")
def tiny(tiny_model):
    from cbir.extractors.build import load_extractor

    return load_extractor(tiny_model / "tiny.toml")


def test_a_real_mammogram_has_the_same_vector_in_every_runtime(densenet, densenet_folder, mammogram):
    reference = densenet.embed([mammogram])[0]
    ort = open_exported(densenet.spec, densenet_folder).embed([mammogram])[0]
    network = OpenVinoNetwork(densenet_folder / "branch0.onnx", precision="f32")
    openvino = Extractor(densenet.spec, [network]).embed([mammogram])[0]
    assert reference.shape == (1024,)
    assert float(reference @ ort) >= 0.9999
    assert float(reference @ openvino) >= 0.9999


def test_quick_is_exported_faithfully(quick, tmp_path):
    export(quick, tmp_path)
    pixels = np.random.default_rng(5).standard_normal((2, 3, 224, 224), dtype=np.float32)
    same = (quick.embed([pixels]) * open_exported(quick.spec, tmp_path).embed([pixels])).sum(axis=1)
    assert quick.dim == 1280
    assert (same >= 0.9999).all()


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_opening_imports_neither_torch_nor_timm(tiny_model, runtime):
    spec = (tiny_model / "spec.json").read_text()
    command = [sys.executable, "-c", NO_TORCH, spec, str(tiny_model / "model"), runtime]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(2, 96) []"


def test_two_branches_are_exported_and_fused(tiny, tmp_path):
    spec = replace(tiny.spec, branches=tiny.spec.branches * 2, fusion=FusionSpec("l2", (2.0, 1.0)))
    both = Extractor(spec, tiny.networks * 2)
    export(both, tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["branch0.onnx", "branch1.onnx"]
    pixels = np.random.default_rng(0).random((3, 3, 64, 64), dtype=np.float32)
    got = open_exported(spec, tmp_path).embed([pixels, pixels])
    np.testing.assert_allclose(got, both.embed([pixels, pixels]), atol=1e-5)


def test_an_unfaithful_export_is_refused(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(exported, "_least_cosine", lambda *_: 0.9998)
    with pytest.raises(WeightsError, match=r"cosine 0\.999800, 0\.9999 is needed"):
        export(tiny, tmp_path)


def test_a_vector_that_is_not_finite_is_no_faithful_export(tiny, tmp_path):
    import copy

    import torch

    module = copy.deepcopy(tiny.networks[0].module)
    with torch.no_grad():
        next(module.parameters()).fill_(float("nan"))
    with pytest.raises(WeightsError, match="cosine nan"):
        export(Extractor(tiny.spec, [TorchNetwork(module, 96)]), tmp_path)


def test_an_exported_extractor_is_not_exported_again(tiny, tiny_model, tmp_path):
    with pytest.raises(SpecError, match="copy its model directory"):
        export(open_exported(tiny.spec, tiny_model / "model"), tmp_path)


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("content", [None, b"", b"not onnx"])
def test_a_missing_or_damaged_network_is_one_line(tiny, tmp_path, runtime, content):
    if content is not None:
        (tmp_path / "branch0.onnx").write_bytes(content)
    with pytest.raises(WeightsError, match=r"branch0\.onnx .*build the index again") as caught:
        open_exported(tiny.spec, tmp_path, runtime=runtime)
    assert "\n" not in str(caught.value)


def test_a_network_of_another_dim_than_the_spec_is_refused(tiny, tiny_model):
    spec = replace(tiny.spec, branches=(replace(tiny.spec.branches[0], dim=97),))
    with pytest.raises(SpecError, match=r"\[96\], its spec says \[97\]"):
        open_exported(spec, tiny_model / "model")


def test_the_spec_beside_a_network_says_what_was_exported(tiny, tiny_model):
    assert json.loads((tiny_model / "spec.json").read_text()) == tiny.spec.to_dict()
