"""What every test may ask for."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    """Take Ctrl-C, which tests send: a script's shell has what it starts in the background ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


TINY_PRESET = """
name = "tiny"

[[branch]]
backbone = "timm:test_resnet"
pooling = "avg"
dim = 96
preprocess = [
    { step = "resize", height_px = 64, width_px = 64, fit = "stretch", interpolation = "area" },
    { step = "normalise", mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] },
]

[branch.weights]
source = "file:random.safetensors"
name = "seeded random numbers"
"""


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Configuration and caches of the tests alone: nobody's patient key is made or read."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images and weights, or a skip."""
    folder = Path(os.environ.get("CBIR_TEST_DATA", ROOT / ".." / "shared")).resolve()
    if not (folder / "data" / "mini_mias" / "labels.csv").is_file():
        pytest.skip(f"no test data in {folder}; set CBIR_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def mini_mias(shared_data: Path) -> Path:
    return shared_data / "data" / "mini_mias"


@pytest.fixture(scope="session")
def weights_folder(shared_data: Path) -> Path:
    return shared_data / "weights"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network with seeded weights, as an index carries it: ``spec.json`` and ``model/``.

    It says nothing about retrieval quality; it makes tests of everything around it quick.
    """
    import json

    import timm
    import torch
    from safetensors.torch import save_file

    from cbir.extractors.build import load_extractor
    from cbir.extractors.exported import export

    folder = tmp_path_factory.mktemp("tiny_model")
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", num_classes=0)
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(tensors, folder / "random.safetensors")
    (folder / "tiny.toml").write_text(TINY_PRESET)
    extractor = load_extractor(folder / "tiny.toml")
    (folder / "model").mkdir()
    export(extractor, folder / "model")
    (folder / "spec.json").write_text(json.dumps(extractor.spec.to_dict()))
    return folder


@pytest.fixture(scope="session")
def make_classifier() -> Callable[..., Path]:
    """Writes the folder of a small classifier: ``make_classifier(folder, classes=("a", "b"), …)``."""
    import torch

    from cbir.extractors.handcrafted.network import descriptor_of, descriptor_ref
    from cbir.extractors.spec import BranchSpec
    from cbir.images.settings import ReadSpec
    from cbir.images.steps import Grey, Normalise, Resize
    from cbir.training.recipe.entry import Named
    from classifiers.exported import export_classifier, write_weights
    from classifiers.networks.create import create_network
    from classifiers.spec import ClassifierSpec

    def make(
        folder: Path,
        *,
        network: str = "dal-hybrid",
        backbones: tuple[str, ...] = ("timm:test_resnet",),
        classes: tuple[str, ...] = ("F", "G", "D"),
        is_ordinal: bool = True,
        descriptors: tuple[str, ...] = (),
        temperature: float = 1.0,
        seed: int = 0,
    ) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        named = Named(network)
        size = Resize(64, 64)
        branches = tuple(
            BranchSpec(
                f"handcrafted:{each}", descriptor_ref(each), (size, Grey()), "model", descriptor_of(each).dim
            )
            for each in descriptors
        )
        n_described = sum(each.dim for each in branches)
        made = create_network(named, backbones, len(classes), (3, 64, 64), n_described=n_described, seed=seed)
        with torch.no_grad():
            made.classifier.weight.mul_(20)  # so that images differ in their answers
        spec = ClassifierSpec(
            name=network,
            network=named,
            backbones=backbones,
            weights=write_weights(made, folder, name=network),
            read=ReadSpec(),
            preprocess=(size, Normalise((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))),
            classes=classes,
            descriptors=branches,
            is_ordinal=is_ordinal,
            temperature=temperature,
        )
        export_classifier(made, spec, folder)
        return folder

    return make


@pytest.fixture
def tiny_index(tiny_model: Path, tmp_path: Path) -> Path:
    """An empty index over the tiny model."""
    import json
    import shutil

    from cbir.extractors.spec import ExtractorSpec
    from indexer.writer import IndexWriter

    def fill(target: Path) -> None:
        shutil.copytree(tiny_model / "model", target, dirs_exist_ok=True)

    spec = ExtractorSpec.from_dict(json.loads((tiny_model / "spec.json").read_text()))
    IndexWriter.create(tmp_path / "lesions.index", spec, fill).close()
    return tmp_path / "lesions.index"


@pytest.fixture
def golden_index(tmp_path: Path) -> Callable[[int], Path]:
    """Unpacks the index that the first version of a format wrote."""
    import tarfile

    def unpack(number: int) -> Path:
        with tarfile.open(ROOT / "tests" / "golden" / "index" / f"format{number}.tar.gz") as tar:
            tar.extractall(tmp_path / f"format{number}", filter="data")
        return tmp_path / f"format{number}" / "golden.index"

    return unpack
