"""Specs to begin from, and the real networks, built once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cbir.extractors.extractor import Extractor
from cbir.extractors.spec import BranchSpec, ExtractorSpec, FusionSpec, WeightsRef
from cbir.images.settings import ReadSpec
from cbir.images.steps import Clahe, Normalise, Resize

STEPS = (
    Clahe(clip=2.0, tiles=8),
    Resize(32, 48, "pad", "area"),
    Normalise((0.5, 0.25, 0.125), (0.5, 0.5, 0.5)),
)


@pytest.fixture(scope="session")
def branch() -> BranchSpec:
    weights = WeightsRef("seeded", "ab" * 32, "Apache-2.0")
    return BranchSpec("timm:test_resnet", weights, STEPS, "avg", 96)


@pytest.fixture(scope="session")
def spec(branch: BranchSpec) -> ExtractorSpec:
    return ExtractorSpec("two", ReadSpec("first", "full", 1), (branch, branch), FusionSpec("l2", (1.0, 0.5)))


@pytest.fixture(scope="session")
def mammogram(shared_data: Path) -> np.ndarray:
    """One real image as ImageNet networks take it: (1, 3, 224, 224)."""
    import cv2

    from cbir.images.steps import Raster

    path = next((shared_data / "data" / "mini_mias" / "images").glob("mdb001*"))
    raster = Raster(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), 255.0)
    for step in (Resize(224, 224), Normalise((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))):
        raster = step.apply(raster)
    return raster.pixels[None]


@pytest.fixture(scope="session")
def densenet(weights_folder: Path) -> Extractor:
    from cbir.extractors.build import load_extractor

    return load_extractor("densenet121", weights=weights_folder / "densenet121.fp16.safetensors")


@pytest.fixture(scope="session")
def quick() -> Extractor:
    from cbir.extractors.build import load_extractor

    return load_extractor("quick", offline=True)
