from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cbir.errors import SpecError
from cbir.extractors.build import load_extractor
from cbir.extractors.extractor import Extractor
from cbir.extractors.spec import TileSpec
from cbir.images.decoding import Decoding
from cbir.images.tiles import TileGrid
from cbir.training.embedding import embed_files


@pytest.fixture(scope="session")
def tiny(tiny_model):
    return load_extractor(tiny_model / "tiny.toml")


def test_the_vectors_are_those_of_an_index(tiny, tiny_model, items, tmp_path):
    import shutil

    from indexer.index import Index
    from indexer.ingest import build_index
    from indexer.ingesting.account import IngestOptions, SourceList

    def fill(folder):
        shutil.copytree(tiny_model / "model", folder, dirs_exist_ok=True)

    listed = SourceList(sources=(str(items.parent),))
    build_index(
        tmp_path / "x.index",
        tiny.spec,
        fill,
        listed,
        IngestOptions(n_workers=2),
        store="exact",
        embedder=tiny,
    )
    paths = [str(path) for path in sorted(items.parent.glob("*.png"))]
    found = embed_files(tiny, paths, Decoding(n_workers=2))
    with Index.open(tmp_path / "x.index") as index:
        there = {item.path: index.query(item.id).embedding for item in index.items()}
    assert found.rows.tolist() == list(range(len(paths)))
    assert np.abs(found.vectors - [there[path] for path in paths]).max() < 1e-6
    assert not found.unread


def test_a_file_that_is_no_image_costs_itself_alone(tiny, items, tmp_path):
    good = sorted(str(path) for path in items.parent.glob("*.png"))[:3]
    (tmp_path / "bad.png").write_bytes(b"no image")
    paths = [good[0], str(tmp_path / "bad.png"), str(tmp_path / "gone.png"), good[1], good[2]]
    told = []
    found = embed_files(tiny, paths, Decoding(n_workers=1), on_file=lambda: told.append(1))
    assert found.rows.tolist() == [0, 3, 4]
    assert [(each.path, str(each.reason)) for each in found.unread] == [
        (paths[1], "not_an_image"),
        (paths[2], "vanished"),
    ]
    assert len(told) == 5
    assert sorted(found.contents) == [0, 3, 4]


def test_no_file_is_no_vector(tiny):
    assert embed_files(tiny, []).vectors.shape == (0, 96)


def test_a_network_that_answers_nonsense_for_one_image_loses_that_one(tiny, items):
    class Failing:
        dim = 96

        def __call__(self, pixels):
            rows = tiny.networks[0](pixels)
            rows[np.abs(pixels).reshape(len(pixels), -1).mean(axis=1) == dark] = np.nan
            return rows

    seen = []

    class Looking(Failing):
        def __call__(self, pixels):
            seen.extend(np.abs(pixels).reshape(len(pixels), -1).mean(axis=1).tolist())
            return tiny.networks[0](pixels)

    paths = sorted(str(path) for path in items.parent.glob("*.png"))[:3]
    embed_files(Extractor(tiny.spec, [Looking()]), paths, Decoding(n_workers=1))
    dark = np.float32(seen[1])
    found = embed_files(Extractor(tiny.spec, [Failing()]), paths, Decoding(n_workers=1))
    assert found.rows.tolist() == [0, 2]
    assert [str(each.reason) for each in found.unread] == ["bad_embedding"]


def test_images_in_parts_are_refused(tiny, items):
    parts = replace(tiny.spec, tiles=TileSpec(TileGrid(2), "parts"))
    with pytest.raises(SpecError, match="keep = mean"):
        embed_files(Extractor(parts, tiny.networks), [])


def test_tiles_are_averaged(tiny, items):
    tiled = Extractor(replace(tiny.spec, tiles=TileSpec(TileGrid(2))), tiny.networks)
    paths = sorted(str(path) for path in items.parent.glob("*.png"))[:2]
    found = embed_files(tiled, paths, Decoding(n_workers=1))
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-6)
    assert found.vectors.shape == (2, 96)
