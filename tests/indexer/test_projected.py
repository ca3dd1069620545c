"""An index projected from another: the same items, the embeddings that the projected extractor would give."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gallery import add, fill_model, gallery, image_of, record_of, spec_of, unit_rows

from cbir.errors import IndexDamagedError, IndexWriteError, SpecError, VectorError
from cbir.extractors.fitting.whitening import whiten
from cbir.extractors.fusion import unit_rows as to_unit
from cbir.extractors.projection import Projection
from cbir.extractors.spec import TileSpec
from cbir.images.tiles import TileGrid
from indexer import Index, IndexWriter, verify_index
from indexer.fitting.projected import project_index, projected_spec

N, DIM = 40, 8
ROWS = unit_rows(N, DIM)
WHITE = whiten(ROWS, dim=5)


def test_every_item_is_there_with_its_embedding_projected(tmp_path):
    source = gallery(tmp_path / "g.index", ROWS)
    project_index(source, tmp_path / "white.index", WHITE)
    with Index.open(source) as before, Index.open(tmp_path / "white.index") as after:
        assert list(after.items()) == list(before.items())
        assert (after.dim, before.dim) == (5, DIM)
        for item in before.items():
            expected = to_unit(WHITE.apply(before.query(item.id).embedding[np.newaxis]))[0]
            assert np.allclose(after.query(item.id).embedding, expected, atol=1e-6)
            assert after.thumbnail(item.id) == before.thumbnail(item.id)
            hits = after.search(after.query(item.id), 3)
            assert [hit.score for hit in hits] == pytest.approx(
                sorted(to_unit(WHITE.apply(ROWS)) @ expected)[-2:-5:-1], abs=1e-5
            )
        assert after.spec == projected_spec(before.spec, WHITE)
        assert after.fingerprint != before.fingerprint
        assert Projection.read(after.model_dir / "projection.safetensors").sha256 == WHITE.sha256
    assert verify_index(tmp_path / "white.index").ok
    assert verify_index(source).ok


def test_removed_items_blocks_and_parts_come_along(tmp_path):
    source = tmp_path / "g.index"
    with IndexWriter.create(source, spec_of(DIM), fill_model) as writer:
        for number, row in enumerate(ROWS[:6]):
            add(writer, f"/g/{number}", row)
            writer.commit()
        boxes = tuple((10 * each, 0, 10, 20) for each in range(4))
        writer.add_file(record_of("/parts", "/parts"), [image_of("/parts", ROWS[6:10], boxes=boxes)])
        writer.remove_paths(["/g/2"])
        writer.set_memo("sources", [])
        writer.commit()
    project_index(source, tmp_path / "white.index", WHITE)
    with Index.open(tmp_path / "white.index") as index:
        assert {item.path for item in index.items()} == {
            "/parts",
            *(f"/g/{each}" for each in (0, 1, 3, 4, 5)),
        }
        (parts,) = (index.query(item.id).embedding for item in index.items() if item.path == "/parts")
        assert np.allclose(parts, to_unit(WHITE.apply(ROWS[6:10])), atol=1e-6)
        assert index.memo("sources") == []
    with IndexWriter.open(tmp_path / "white.index") as writer:
        add(writer, "/g/new", to_unit(WHITE.apply(ROWS[20:21]))[0])
        writer.commit()
        writer.compact()
    assert verify_index(tmp_path / "white.index").ok


def test_what_can_not_be_projected_is_refused():
    spec = spec_of(DIM)
    with pytest.raises(SpecError, match="takes vectors of 8 numbers, extractor 'seeded' gives 4"):
        projected_spec(spec_of(4), WHITE)
    with pytest.raises(SpecError, match="projects its vectors already"):
        projected_spec(projected_spec(spec, WHITE), whiten(unit_rows(N, 5), dim=2))
    with pytest.raises(SpecError, match="averages tiles, and a projection comes before the mean"):
        projected_spec(replace(spec, tiles=TileSpec(TileGrid(across=2), "mean")), WHITE)
    assert projected_spec(replace(spec, tiles=TileSpec(TileGrid(across=2), "parts")), WHITE).dim == 5


def test_nothing_is_written_over_and_nothing_is_left_behind(tmp_path):
    source = gallery(tmp_path / "g.index", ROWS)
    with pytest.raises(IndexWriteError, match="There is an index at"):
        project_index(source, source, WHITE)
    flat = Projection.of(ROWS[3], np.eye(DIM, 2))
    with pytest.raises(VectorError, match="is zero"):
        project_index(source, tmp_path / "white.index", flat)
    damaged = next((source / "embeddings").glob("*.f32"))
    damaged.write_bytes(bytes([damaged.read_bytes()[0] ^ 1]) + damaged.read_bytes()[1:])
    with pytest.raises(IndexDamagedError, match="checksum"):
        project_index(source, tmp_path / "white.index", WHITE)
    assert [each.name for each in tmp_path.iterdir()] == ["g.index"]


def test_an_index_of_an_older_format_is_brought_up_to_date_first(tmp_path, monkeypatch):
    source: Path = gallery(tmp_path / "g.index", ROWS)
    monkeypatch.setattr("indexer.fitting.projected.FORMAT", 99)
    with pytest.raises(IndexWriteError, match=r"of format \d+, this version projects format 99: compact it"):
        project_index(source, tmp_path / "white.index", WHITE)
