"""A slide, and an index that takes it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cbir.extractors.spec import ExtractorSpec
from cbir.images.slides.spec import SlideSpec

sys.path.insert(0, str(Path(__file__).parent))

from slide_files import glass, pyramid, write_tiff

MakeSlide = Callable[..., Path]


@pytest.fixture
def make_slide(tmp_path: Path) -> MakeSlide:
    """Write a slide of 0.5 microns a pixel (20x), three levels, lossless; give its path."""

    def make(
        name: str = "slide.tif", pixels: np.ndarray | None = None, *, n_levels: int = 3, **how: object
    ) -> Path:
        (tmp_path / "images").mkdir(exist_ok=True)
        path = tmp_path / "images" / name
        write_tiff(path, pyramid(glass() if pixels is None else pixels, n_levels), **({"mpp": 0.5} | how))
        return path

    return make


@pytest.fixture
def make_slide_index(tiny_model: Path, tmp_path: Path) -> Callable[[SlideSpec], Path]:
    """An empty index of the tiny model that reads slides so."""

    def make(slides: SlideSpec) -> Path:
        from indexer.writer import IndexWriter

        def fill(target: Path) -> None:
            shutil.copytree(tiny_model / "model", target, dirs_exist_ok=True)

        spec = ExtractorSpec.from_dict(json.loads((tiny_model / "spec.json").read_text()))
        IndexWriter.create(tmp_path / "slides.index", replace(spec, slides=slides), fill).close()
        return tmp_path / "slides.index"

    return make


@pytest.fixture
def slide_index(make_slide_index: Callable[[SlideSpec], Path]) -> Path:
    """An empty index that reads slides at 10x, in tiles of 64 pixels."""
    return make_slide_index(SlideSpec(mpp=1.0, tile_px=64))
