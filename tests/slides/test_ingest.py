"""Slides in a run: one item each, with a part a tile; the account closes, whatever becomes of them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from slide_files import CANARY, PIECES, glass, pyramid, write_aperio, write_tiff

from cbir.errors import ImageError, SkipReason, VectorError
from cbir.extractors.exported import open_exported
from cbir.images.files import SlideFile, read_file_or_slide
from cbir.images.pool import DecodePool
from cbir.images.settings import DecodeLimits
from cbir.images.slides.spec import SlideSpec
from indexer.asking.query import embed_image, embed_slide_query
from indexer.index import Index
from indexer.ingest import update_index
from indexer.ingesting.account import IngestOptions, IngestReport, Progress, SourceList
from indexer.ingesting.slides import embed_slide

pytest.importorskip("openslide", reason="whole slides need the extra wsi")


def update(index: Path, folder: Path, on_progress=None, **options: object) -> IngestReport:
    told = IngestOptions(n_workers=1, **options)
    report = update_index(index, SourceList((str(folder),)), told, on_progress=on_progress)
    assert report.found == report.indexed + report.unchanged + report.duplicate + sum(report.skipped.values())
    return report


def write_patch(path: Path, picture: np.ndarray) -> Path:
    """What the extractor sees of a piece of level 0: 128 pixels at 20x, 64 at 10x."""
    small = cv2.resize(picture, (64, 64), interpolation=cv2.INTER_AREA)
    path.write_bytes(cv2.imencode(".png", small[..., ::-1])[1].tobytes())
    return path


def pool_of(index: Index) -> DecodePool:
    return DecodePool(index.spec.read, index.spec.plans(), slides=index.spec.slides, n_workers=1)


@pytest.fixture
def folder(make_slide) -> Path:
    """One slide with a name of many scripts, and one small picture."""
    slide = make_slide("Gewebe 組織 é.svs")
    write_patch(
        slide.parent / "other.png", np.tile(np.arange(128, dtype=np.uint8)[:, None, None], (1, 128, 3))
    )
    return slide.parent


def test_a_slide_is_one_item_with_a_part_a_tile(slide_index, folder):
    report = update(slide_index, folder)
    assert (report.found, report.indexed, report.images) == (2, 2, 2)
    with Index.open(slide_index) as index:
        items = {Path(item.path).name: item for item in index.items()}
        assert set(items) == {"Gewebe 組織 é.svs", "other.png"}
        slide = items["Gewebe 組織 é.svs"]
        assert slide.metadata["mpp"] == 0.5
        assert slide.metadata["vendor"] == "generic-tiff"
        parts = np.atleast_2d(index.query(slide.id).embedding)
        assert len(parts) > 30
        assert index.info().n_rows == len(parts) + 1
        picture = cv2.imdecode(np.frombuffer(index.thumbnail(slide.id), np.uint8), cv2.IMREAD_COLOR)
        assert max(picture.shape) <= 192
        assert index.verify().ok


def test_a_patch_cut_out_of_a_slide_finds_it_and_where_it_was(slide_index, folder, tmp_path):
    update(slide_index, folder)
    patch = write_patch(tmp_path / "patch.png", glass()[1500:1628, 2100:2228])
    with Index.open(slide_index) as index, pool_of(index) as pool:
        embedder = open_exported(index.spec, index.model_dir)
        query = embed_image(index, patch.read_bytes(), "0" * 64, pool=pool, embedder=embedder).query
        first = index.search(query, 2)[0]
    assert first.item.path == str(folder / "Gewebe 組織 é.svs")
    x, y, width, height = first.box
    left, top, across, down = PIECES[1]
    assert left - width < x < left + across
    assert top - height < y < top + down


def test_a_tile_exactly_as_indexed_is_found_at_score_1_in_its_box(slide_index, folder, tmp_path):
    update(slide_index, folder)
    with Index.open(slide_index) as index, pool_of(index) as pool:
        embedder = open_exported(index.spec, index.model_dir)
        [slide] = [item for item in index.items() if item.path.endswith(".svs")]
        own = index.search(index.query(slide.id), 1)
        assert slide.id not in {hit.item.id for hit in own}
        descriptor = os.open(slide.path, os.O_RDONLY)
        boxes = [box for chunk in pool.decode_slide(descriptor) for box in chunk.boxes]
        os.close(descriptor)
        for box in (boxes[0], boxes[len(boxes) // 2], boxes[-1]):
            x, y, width, height = box
            patch = write_patch(tmp_path / "patch.png", glass()[y : y + height, x : x + width])
            query = embed_image(index, patch.read_bytes(), "0" * 64, pool=pool, embedder=embedder).query
            first = index.search(query, 1)[0]
            assert first.score > 0.999
            assert first.box == box


def test_a_slide_as_a_query_finds_itself_by_its_tiles(slide_index, folder):
    update(slide_index, folder)
    path = folder / "Gewebe 組織 é.svs"
    with Index.open(slide_index) as index, pool_of(index) as pool:
        slide = read_file_or_slide(str(path), DecodeLimits(), slides=index.spec.slides)
        assert isinstance(slide, SlideFile)
        embedder = open_exported(index.spec, index.model_dir)
        asked = embed_slide_query(index, slide, pool=pool, embedder=embedder)
        assert len(asked.query.embedding) + 1 == index.info().n_rows
        first = index.search(asked.query, 1)[0]
    assert first.item.path == str(path)
    assert first.score > 0.999


def test_a_second_run_changes_nothing_and_a_copy_is_a_duplicate(slide_index, folder):
    update(slide_index, folder)
    shutil.copy(folder / "Gewebe 組織 é.svs", folder / "twin.tif")
    report = update(slide_index, folder)
    assert (report.unchanged, report.duplicate, report.images) == (2, 1, 0)
    with Index.open(slide_index) as index:
        assert len(index) == 3


def test_two_builds_over_the_same_slides_give_the_same_rows(slide_index, folder, tmp_path):
    other = Path(shutil.copytree(slide_index, tmp_path / "other.index"))
    for path in (slide_index, other):
        update(path, folder)
    with Index.open(slide_index) as one, Index.open(other) as two:
        for item in one.items():
            np.testing.assert_array_equal(one.query(item.id).embedding, two.query(item.id).embedding)


def test_an_extractor_without_slides_skips_them_unread_and_says_what_to_add(tiny_index, folder):
    report = update(tiny_index, folder)
    [record] = report.skipped_files
    assert (record.reason, report.indexed) == (SkipReason.UNSUPPORTED, 1)
    assert "[slides] magnification = 20, tile_px = 256" in record.detail
    assert record.sha256 is None


def test_blank_and_damaged_slides_are_skipped_and_the_rest_goes_on(slide_index, folder, tmp_path):
    write_tiff(folder / "blank.tif", pyramid(glass(pieces=()), 3), mpp=0.5)
    write_tiff(folder / "no scale.tif", pyramid(glass(), 3), mpp=None)
    whole = (folder / "Gewebe 組織 é.svs").read_bytes()
    (folder / "cut.svs").write_bytes(whole[: len(whole) // 2])
    report = update(slide_index, folder)
    reasons = {Path(record.path).name: record.reason for record in report.skipped_files}
    assert reasons == {
        "blank.tif": SkipReason.NO_TISSUE,
        "no scale.tif": SkipReason.UNSUPPORTED,
        "cut.svs": SkipReason.TRUNCATED,
    }
    assert (report.found, report.indexed) == (5, 2)


def test_what_was_done_to_a_slide_is_in_the_notes(make_slide_index, make_slide):
    index = make_slide_index(SlideSpec(mpp=1.0, tile_px=64, max_tiles=5))
    report = update(index, make_slide().parent)
    [(note, n_files)] = report.notes.items()
    assert (note[:5], n_files) == ("5 of ", 1)
    assert note.endswith(" tissue tiles (max_tiles)")


def test_tiles_without_a_usable_vector_are_left_out_and_said(slide_index, folder):
    class Sulking:
        fingerprint, dim, n = "0" * 64, 4, 0

        def embed(self, prepared):
            if len(prepared[0]) > 1:
                raise VectorError("one of them is zero")
            self.n += 1
            if self.n % 3 == 0:
                raise VectorError("zero")
            return np.full((1, 4), 0.5, np.float32)

    path = str(folder / "Gewebe 組織 é.svs")
    with Index.open(slide_index) as index, pool_of(index) as pool:
        slide = read_file_or_slide(path, DecodeLimits(), slides=index.spec.slides)
        frame, rows = embed_slide(slide, pool=pool, embedder=Sulking())
        n_all = 3 * len(rows) // 2
        assert len(frame.boxes) == len(rows) > 20
        assert frame.notes[0].endswith(" tissue tiles have no usable vector")
        assert abs(int(frame.notes[0].split()[2]) - n_all) <= 1


@pytest.mark.parametrize("stop_after", [0, 1])
def test_a_run_stopped_within_a_slide_adds_nothing_of_it_and_goes_on_later(slide_index, folder, stop_after):
    write_tiff(folder / "second.tif", pyramid(glass(pieces=((100, 100, 2800, 2000),)), 3), mpp=0.5)
    told: list[Progress] = []

    def stop(progress: Progress) -> bool:
        told.append(progress)
        return progress.indexed >= 2 and len([each for each in told if each.indexed >= 2]) > 1 + stop_after

    report = update(slide_index, folder, stop)
    assert report.interrupted
    assert (report.found, report.indexed) == (2, 2)
    with Index.open(slide_index) as index:
        assert len(index) == 2
    report = update(slide_index, folder)
    assert (report.indexed, report.unchanged) == (1, 2)


def test_ctrl_c_within_a_slide_leaves_no_process_and_no_part(slide_index, folder):
    import psutil

    (folder / "other.png").unlink()

    def interrupt(_: Progress) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        update(slide_index, folder, interrupt)
    assert not psutil.Process().children()
    with Index.open(slide_index) as index:
        assert len(index) == 0
    assert update(slide_index, folder).indexed == 1


def test_a_slide_that_crashed_its_decoder_is_not_tried_again(slide_index, folder, monkeypatch):
    def crash(self, descriptor):
        raise ImageError(SkipReason.DECODER_CRASHED, "killed by SIGSEGV")
        yield

    monkeypatch.setattr(DecodePool, "decode_slide", crash)
    assert update(slide_index, folder).skipped == {SkipReason.DECODER_CRASHED: 1}
    monkeypatch.undo()
    assert update(slide_index, folder).skipped == {SkipReason.DECODER_CRASHED: 1}


def test_nothing_that_a_slide_says_in_words_gets_into_the_index(slide_index, tmp_path):
    (tmp_path / "images").mkdir()
    write_aperio(tmp_path / "images" / "a.svs", pyramid(glass(), 3), properties="AppMag = 20|MPP = 0.5")
    assert CANARY.encode() in (tmp_path / "images" / "a.svs").read_bytes()
    assert update(slide_index, tmp_path / "images").indexed == 1
    files = [path for path in slide_index.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if CANARY.encode() in path.read_bytes()]
