"""Small classifiers with random weights; they say nothing about images, and are quick."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

CLASSES = ("F", "G", "D")


@pytest.fixture(scope="session")
def make_classifier() -> Callable[..., Path]:
    """Writes the folder of a classifier: ``make_classifier(folder, classes=("a", "b"), …)``."""
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
        classes: tuple[str, ...] = CLASSES,
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


@pytest.fixture(scope="session")
def tiny_classifier_run(
    make_classifier: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of a small hybrid with three ordinal classes: ``classifier.json``, network and weights."""
    return make_classifier(tmp_path_factory.mktemp("classifier") / "tiny")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `cbir` in an empty folder, with nothing set."""
    for name in [name for name in os.environ if name.startswith("CBIR_") or name == "NO_COLOR"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)

    def run(*words: object, expect: int = 0) -> Result:
        from cli.app import app

        result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
        assert result.exit_code == expect, result.output
        return result

    return run


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Six PNG files, each another one."""
    folder = tmp_path_factory.mktemp("pictures")
    drawn = np.random.default_rng(0)
    paths = [folder / f"{number}.png" for number in range(6)]
    for number, path in enumerate(paths):
        picture = (drawn.random((80, 80)) * 40 * (number + 1)).astype(np.uint8)
        cv2.imwrite(str(path), picture)
    return [str(path) for path in paths]
