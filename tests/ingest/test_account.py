"""Every file found is in exactly one column of the account, and in the index as the account says."""

from __future__ import annotations

import itertools
import os
import shutil
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from cbir.errors import SkipReason, SpecError
from cbir.images import files
from cbir.images.pool import DecodePool
from indexer.index import Index
from indexer.ingest import update_index
from indexer.ingesting.account import IngestOptions, IngestReport, Progress, SourceList
from indexer.ingesting.memos import remembered_sources

OPTIONS = IngestOptions(n_workers=1, batch_size=4, hash_key=b"test")


def update(index: Path, folder: Path, **options: object) -> IngestReport:
    report = update_index(
        index, SourceList((str(folder),)), OPTIONS if not options else IngestOptions(**options)
    )
    assert_closed(report)
    return report


def assert_closed(report: IngestReport) -> None:
    assert report.found == report.indexed + report.unchanged + report.duplicate + sum(report.skipped.values())
    assert sum(report.skipped.values()) == len(report.skipped_files)


def write_image(path: Path, seed: int, side_px: int = 40) -> Path:
    path.parent.mkdir(exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 255, (side_px, side_px), dtype=np.uint8)
    path.write_bytes(cv2.imencode(".png", cv2.GaussianBlur(noise, (0, 0), 2))[1].tobytes())
    return path


def png_declaring(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.fixture
def folder(tmp_path):
    write_image(tmp_path / "images" / "a.png", 1)
    write_image(tmp_path / "images" / "b.png", 2)
    return tmp_path / "images"


def test_what_is_no_image_is_skipped_with_its_reason(tiny_index, folder):
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.dcm").write_text("hello")
    (folder / "cut.png").write_bytes((folder / "a.png").read_bytes()[:300])
    (folder / "bomb.png").write_bytes(png_declaring(200_000, 200_000))
    os.mkfifo(folder / "fifo.png")
    (folder / "link.png").symlink_to(folder / "a.png")
    (folder / "loop").symlink_to(folder)
    shutil.copy(get_testdata_file("rtplan.dcm", download=False), folder / "plan.dcm")
    report = update(tiny_index, folder)
    reasons = {Path(record.path).name: record.reason for record in report.skipped_files}
    assert reasons == {
        "empty.png": SkipReason.NOT_AN_IMAGE,
        "text.dcm": SkipReason.NOT_AN_IMAGE,
        "cut.png": SkipReason.TRUNCATED,
        "bomb.png": SkipReason.TOO_LARGE,
        "fifo.png": SkipReason.NOT_A_FILE,
        "link.png": SkipReason.SYMLINK,
        "loop": SkipReason.SYMLINK,
        "plan.dcm": SkipReason.NO_PIXELS,
    }
    assert (report.found, report.indexed) == (10, 2)
    with Index.open(tiny_index) as opened:
        assert {Path(record.path).name: record.reason for record in opened.skipped()} == reasons


def test_a_wrong_extension_does_not_matter(tiny_index, folder):
    (folder / "a.png").rename(folder / "a.dcm")
    shutil.copy(get_testdata_file("CT_small.dcm", download=False), folder / "ct.png")
    assert update(tiny_index, folder).indexed == 3


def test_a_name_that_is_not_utf8_is_indexed(tiny_index, folder):
    write_image(Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe.png")), 3)
    assert update(tiny_index, folder).indexed == 3
    assert update(tiny_index, folder).unchanged == 3


def test_a_second_run_changes_nothing(tiny_index, folder):
    update(tiny_index, folder)
    with Index.open(tiny_index) as opened:
        before = opened.generation
    report = update(tiny_index, folder)
    assert (report.indexed, report.unchanged, report.images) == (0, 2, 0)
    with Index.open(tiny_index) as opened:
        assert opened.generation == before


def test_a_touched_file_is_unchanged_and_a_changed_one_is_not(tiny_index, folder):
    update(tiny_index, folder)
    with Index.open(tiny_index) as opened:
        ids = {item.path: item.id for item in opened.items()}
    os.utime(folder / "a.png", (1, 1))
    write_image(folder / "b.png", 99)
    report = update(tiny_index, folder)
    assert (report.indexed, report.unchanged) == (1, 1)
    with Index.open(tiny_index) as opened:
        assert {item.path: item.id for item in opened.items()} == ids


def test_a_moved_file_keeps_its_id_and_is_not_embedded_again(tiny_index, folder):
    update(tiny_index, folder)
    with Index.open(tiny_index) as opened:
        ids = {item.id for item in opened.items()}
    (folder / "a.png").rename(folder / "moved.png")
    report = update(tiny_index, folder)
    assert (report.unchanged, report.moved, report.images, report.missing) == (2, 1, 0, 0)
    with Index.open(tiny_index) as opened:
        assert {item.id for item in opened.items()} == ids
        assert str(folder / "moved.png") in {item.path for item in opened.items()}


def test_the_same_bytes_under_two_paths_are_one_embedding_and_two_items(tiny_index, folder):
    shutil.copy(folder / "a.png", folder / "again.png")
    report = update(tiny_index, folder)
    assert (report.indexed, report.duplicate, report.images) == (2, 1, 2)
    with Index.open(tiny_index) as opened:
        assert len(opened) == 3
        assert opened.info().n_rows == 2
        item = next(item for item in opened.items() if item.path.endswith("a.png"))
        (twin, *_) = opened.search(opened.query(item.id), 2)
        assert twin.item.path.endswith("again.png")
        assert twin.score == pytest.approx(1.0, abs=1e-6)
    assert update(tiny_index, folder).unchanged == 3


def test_copies_of_a_broken_file_are_skipped_each(tiny_index, folder):
    for name in ("x.png", "y.png", "z.png"):
        (folder / name).write_bytes((folder / "a.png").read_bytes()[:300])
    report = update(tiny_index, folder)
    assert report.skipped == {SkipReason.TRUNCATED: 3}


def dicom(path: Path, instance: str, pixel: int = 0, name: str = "") -> None:
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm", download=False))
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = instance
    dataset.PatientComments = name
    pixels = dataset.pixel_array.copy()
    pixels[0, 0] += pixel
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(path)


def test_an_instance_with_the_same_pixels_is_one_item_and_with_others_is_reported(tiny_index, folder):
    dicom(folder / "one.dcm", "1.2.3")
    dicom(folder / "same.dcm", "1.2.3", name="other bytes")
    dicom(folder / "zother.dcm", "1.2.3", pixel=5)
    report = update(tiny_index, folder)
    assert (report.indexed, report.duplicate) == (4, 1)
    assert report.notes["same SOPInstanceUID as another file, but other pixels"] == 1
    assert update(tiny_index, folder).unchanged == 5


def test_the_patient_is_stored_as_a_keyed_hash_and_only_with_a_key(tiny_index, folder):
    dicom(folder / "one.dcm", "1.2.3")
    update(tiny_index, folder)
    with Index.open(tiny_index) as opened:
        (group,) = {item.group for item in opened.items() if item.path.endswith("one.dcm")}
    assert group
    assert "1CT1" not in group
    dicom(folder / "two.dcm", "1.2.4", pixel=1)
    update(tiny_index, folder, n_workers=1)
    with Index.open(tiny_index) as opened:
        assert [item.group for item in opened.items() if item.path.endswith("two.dcm")] == [None]


def test_labels_join_and_change_without_embedding_again(tiny_index, folder):
    table = folder.parent / "labels.csv"
    table.write_text("path,label,patient_id,age\nimages/a.png,benign,p1,50\nimages/b.png,malignant,p2,60\n")
    sources = SourceList((str(folder),), labels=str(table))
    update_index(tiny_index, sources, OPTIONS)
    table.write_text("path,label,patient_id,age\nimages/a.png,normal,p1,51\nimages/b.png,malignant,p2,60\n")
    report = update_index(tiny_index, sources, OPTIONS)
    assert (report.images, report.unchanged) == (0, 2)
    with Index.open(tiny_index) as opened:
        item = next(item for item in opened.items() if item.path.endswith("a.png"))
        assert (item.label, item.group, item.metadata["age"]) == ("normal", "p1", 51)


def test_a_file_that_is_gone_is_missing_and_dropped_only_by_prune(tiny_index, folder):
    update(tiny_index, folder)
    (folder / "a.png").unlink()
    assert update(tiny_index, folder).missing == 1
    with Index.open(tiny_index) as opened:
        assert len(opened) == 2
    assert update(tiny_index, folder, prune=True, n_workers=1).missing == 1
    with Index.open(tiny_index) as opened:
        assert len(opened) == 1


def refuse_to_open(monkeypatch: pytest.MonkeyPatch, suffix: str, error: OSError) -> None:
    real_open = os.open

    def refuse(path: str, *flags: int) -> int:
        if str(path).endswith(suffix):
            raise error
        return real_open(path, *flags)

    monkeypatch.setattr(files.os, "open", refuse)


def test_no_permission_is_a_reason(tiny_index, folder, monkeypatch):
    refuse_to_open(monkeypatch, "a.png", PermissionError(13, "Permission denied"))
    assert update(tiny_index, folder).skipped == {SkipReason.PERMISSION: 1}


def test_a_file_that_can_not_be_read_today_keeps_its_item(tiny_index, folder, monkeypatch):
    update(tiny_index, folder)
    refuse_to_open(monkeypatch, ".png", OSError(5, "Input/output error"))
    assert update(tiny_index, folder).skipped == {SkipReason.UNREADABLE: 2}
    monkeypatch.undo()
    with Index.open(tiny_index) as opened:
        assert len(opened) == 2
    assert update(tiny_index, folder).unchanged == 2


def test_a_file_with_other_bytes_that_are_no_image_loses_its_item(tiny_index, folder):
    update(tiny_index, folder)
    (folder / "a.png").write_text("overwritten")
    assert update(tiny_index, folder).skipped == {SkipReason.NOT_AN_IMAGE: 1}
    with Index.open(tiny_index) as opened:
        assert len(opened) == 1


def test_a_file_that_keeps_changing_while_it_is_read_is_skipped(tiny_index, folder, monkeypatch):
    real_fstat = os.fstat
    times = itertools.count(1)

    def restless(descriptor: int) -> os.stat_result:
        status = real_fstat(descriptor)
        if Path(f"/proc/self/fd/{descriptor}").readlink().is_relative_to(folder):
            os.utime(descriptor, ns=(0, next(times)))
        return status

    monkeypatch.setattr(files.os, "fstat", restless)
    assert update(tiny_index, folder).skipped == {SkipReason.CHANGED: 2}


def test_a_file_that_crashed_the_decoder_is_not_tried_again(tiny_index, folder, monkeypatch):
    from cbir.errors import ImageError

    tried = []

    def crash(_pool: DecodePool, data: bytes, **_: object) -> None:
        tried.append(data)
        raise ImageError(SkipReason.DECODER_CRASHED, "SIGABRT")

    monkeypatch.setattr(DecodePool, "decode", crash)
    for _ in range(2):
        assert update(tiny_index, folder).skipped == {SkipReason.DECODER_CRASHED: 2}
    assert len(tried) == 2


def test_a_run_that_is_asked_to_stop_commits_and_the_next_goes_on(tiny_index, folder):
    for seed in range(3, 30):
        write_image(folder / f"{seed:02d}.png", seed)

    def stop_soon(progress: Progress) -> bool:
        return progress.found >= 10

    sources = SourceList((str(folder),))
    first = update_index(tiny_index, sources, OPTIONS, on_progress=stop_soon)
    assert_closed(first)
    assert first.interrupted
    assert first.indexed == 10
    second = update_index(tiny_index, None, OPTIONS)
    assert (second.found, second.unchanged, second.indexed, second.interrupted) == (29, 10, 19, False)


def test_sources_are_remembered(tiny_index, folder):
    update(tiny_index, folder)
    update(tiny_index, folder)
    with Index.open(tiny_index) as opened:
        assert remembered_sources(opened) == [SourceList((str(folder),))]


def test_an_index_among_its_images_is_not_taken_for_images(tiny_index, folder):
    report = update(tiny_index, folder.parent)
    assert (report.found, report.indexed) == (2, 2)


def test_what_a_run_admits_is_remembered_for_the_next(tiny_index, folder):
    shutil.copy(get_testdata_file("SC_rgb.dcm", download=False), folder / "capture.dcm")
    sources = SourceList((str(folder),))
    skipping = IngestOptions(n_workers=1, policy={"secondary_capture": "skip"})
    assert update_index(tiny_index, sources, skipping).skipped == {SkipReason.POLICY: 1}
    assert update_index(tiny_index, None, OPTIONS).skipped == {SkipReason.POLICY: 1}
    reading = IngestOptions(n_workers=1, policy={"secondary_capture": "read"})
    assert update_index(tiny_index, None, reading).indexed == 1


def test_another_patient_key_is_refused_where_patients_are_hashed(tiny_index, folder):
    update(tiny_index, folder, n_workers=1, hash_key=b"any")
    dicom(folder / "one.dcm", "1.2.3")
    update(tiny_index, folder)
    with pytest.raises(SpecError, match="CBIR_PATIENT_KEY"):
        update(tiny_index, folder, n_workers=1, hash_key=b"another")
    update(tiny_index, folder, n_workers=1, hash_key=None)


def test_a_copy_without_a_group_is_excluded_with_its_original(tiny_index, folder):
    shutil.copy(folder / "a.png", folder / "copy.png")
    table = folder.parent / "labels.csv"
    table.write_text("path,group\nimages/a.png,p1\n")
    update_index(tiny_index, SourceList((str(folder),), labels=str(table)), OPTIONS)
    with Index.open(tiny_index) as opened:
        item = next(item for item in opened.items() if item.path.endswith("a.png"))
        hits = opened.search(opened.query(item.id), 10, exclude_same_group=True)
        assert [Path(hit.item.path).name for hit in hits] == ["b.png"]
