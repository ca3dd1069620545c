"""Every format that was ever written is read, answers as it did, and is taken on. See index/README.md."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from make_index import ASKED, picture
from typer.testing import CliRunner

from cbir.errors import IndexDamagedError, IndexMissingError
from cli.app import app
from indexer import Index, IndexWriter, verify_index
from indexer.formats import FORMAT
from indexer.manifest import MANIFEST, read_manifest
from indexer.storage.durable import write_file
from indexer.storage.schema import SCHEMA

HERE = Path(__file__).with_name("index")
FINGERPRINTS = {
    1: "e2a1685982eeb15929f898543a64ae44aae6481190eaf91497cba8d5aea842ac",
    2: "028ca6d6757137b93187637e7189a3dea4aa8638c2df2d053a41787ef34e9dae",
}
N_PARTS = {1: 1, 2: 9}
FORMATS = tuple(FINGERPRINTS)


def paths_of(index: Index) -> dict[str, str]:
    return {Path(item.path).name: item.id for item in index.items() if not item.frame}


def hits_of(path: Path, k: int = 9) -> dict[str, list[dict[str, object]]]:
    """What each image that was asked for then finds now."""
    with Index.open(path) as index:
        ids = paths_of(index) | {"case.dcm": paths_of(index)["case again.dcm"]}
        found = {name: index.search(replace(index.query(ids[name]), item_id=None), k) for name in ASKED}
    return {
        name: [
            {"id": hit.item.id, "frame": hit.item.frame, "score": hit.score, "box": hit.box} for hit in hits
        ]
        for name, hits in found.items()
    }


def assert_as_then(path: Path, number: int) -> None:
    then = json.loads((HERE / f"format{number}.json").read_text())
    for name, hits in hits_of(path).items():
        assert [hit["id"] for hit in hits] == [hit["id"] for hit in then[name]]
        assert [hit["frame"] for hit in hits] == [hit["frame"] for hit in then[name]]
        assert [hit["score"] for hit in hits] == pytest.approx([hit["score"] for hit in then[name]], abs=2e-6)
        assert [list(hit["box"] or ()) for hit in hits] == [hit.get("box") or [] for hit in then[name]]


def state_of(path: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(each.relative_to(path)): (each.stat().st_mtime_ns, each.read_bytes() if each.is_file() else b"")
        for each in sorted(path.rglob("*"))
    }


def tables(connection: sqlite3.Connection) -> set[str]:
    found = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {" ".join(sql.replace('"', "").split()) for (sql,) in found}


def rewrite_manifest(path: Path, number: int) -> None:
    """The manifest with another format, and a checksum that fits."""
    import xxhash

    head, neck, body = (path / MANIFEST).read_bytes().partition(b'",\n')
    body = body.replace(
        f'"format": {read_manifest(path).format},'.encode(), f'"format": {number},'.encode(), 1
    )
    checksum = xxhash.xxh3_128(body).hexdigest().encode()
    write_file(path / MANIFEST, [head[: -len(checksum)] + checksum + neck + body])


def test_there_is_a_golden_index_of_every_format():
    assert list(FORMATS) == list(range(1, FORMAT + 1))
    assert sum(file.stat().st_size for file in HERE.iterdir() if file.is_file()) < 150_000


@pytest.mark.parametrize("number", FORMATS)
def test_an_index_of_any_format_answers_as_it_did_and_stays_as_it_is(golden_index, number):
    path = golden_index(number)
    before = state_of(path)
    assert_as_then(path, number)
    with Index.open(path) as index:
        assert index.spec.fingerprint == index.fingerprint == FINGERPRINTS[number]
        assert len(index) == len(list(index.items())) == 8
        assert index.labels() == {"benign": 3, "malignant": 1}
        assert [Path(record.path).name for record in index.skipped()] == ["notes.txt"]
        two = index.item(paths_of(index)["two.png"])
        assert (two.label, two.group, two.metadata["view"], two.metadata["age"]) == (
            "malignant",
            "p1",
            "MLO",
            51,
        )
        assert two.metadata["fatty"] is False
        case = index.item(paths_of(index)["case again.dcm"])
        assert (case.metadata["view"], len(case.group)) == ("CC", 32)
        assert index.thumbnail(two.id).startswith(b"\xff\xd8")
        assert index.info().n_dead_rows == N_PARTS[number]
        assert index.info().n_files == {"duplicate": 2, "indexed": 6, "skipped": 1}
    assert verify_index(path).findings == ()
    assert state_of(path) == before


@pytest.mark.parametrize("number", FORMATS)
def test_a_writer_takes_an_index_of_any_format_to_todays(golden_index, number):
    path = golden_index(number)
    with IndexWriter.open(path) as writer:
        assert read_manifest(path).format == number  # until the commit
        assert writer.commit() == 3 + (number < FORMAT)
    assert read_manifest(path).format == FORMAT
    assert_as_then(path, number)
    assert verify_index(path).ok
    with IndexWriter.open(path) as writer:
        assert writer.compact() == N_PARTS[number]
    assert_as_then(path, number)
    assert verify_index(path).ok
    with IndexWriter.open(path) as writer:
        with Index.open(path) as index:
            gone = paths_of(index)["one.png"], paths_of(index)["copy of one.png"]
        assert writer.remove(gone) == 2
        writer.commit()
    assert verify_index(path).ok
    with Index.open(path) as index:
        assert index.info().n_dead_rows == N_PARTS[number]


@pytest.mark.parametrize("number", FORMATS)
def test_an_upgraded_catalog_has_the_tables_of_a_new_one(golden_index, number):
    path = golden_index(number)
    with Index.open(path) as index:
        upgraded = tables(index._catalog._connection)
    fresh = sqlite3.connect(":memory:")
    fresh.executescript(SCHEMA)
    assert upgraded == tables(fresh)
    fresh.close()


@pytest.mark.parametrize("number", FORMATS)
def test_the_same_image_still_has_the_same_embedding(golden_index, number, tmp_path):
    picture(0).save(tmp_path / "query.png")
    words = ["search", tmp_path / "query.png", "-i", golden_index(number), "-k", 9, "--json"]
    result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
    assert result.exit_code == 0, result.output
    then = json.loads((HERE / f"format{number}.json").read_text())["one.png"]
    now = json.loads(result.stdout)["hits"]
    assert [hit["id"] for hit in now] == [hit["id"] for hit in then]
    assert [hit["score"] for hit in now] == pytest.approx([hit["score"] for hit in then], abs=2e-6)


def test_a_newer_format_is_refused_in_a_line_that_names_both(golden_index):
    path = golden_index(FORMAT)
    rewrite_manifest(path, FORMAT + 1)
    for opening in (Index.open, IndexWriter.open, verify_index):
        with pytest.raises(IndexMissingError, match=rf"of format {FORMAT + 1}, .* up to {FORMAT}\. Update"):
            opening(path)
    result = CliRunner().invoke(app, ["index", "info", "-i", str(path)], prog_name="cbir")
    assert result.exit_code == 4
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [0, -1])
def test_a_format_that_is_none_is_damage(golden_index, number):
    path = golden_index(FORMAT)
    rewrite_manifest(path, number)
    with pytest.raises(IndexDamagedError, match=f"format {number}"):
        Index.open(path)


def test_a_spec_that_would_mean_other_numbers_today_is_refused(golden_index, monkeypatch):
    path = golden_index(1)
    monkeypatch.setattr("cbir.extractors.spec.ExtractorSpec.fingerprint", property(lambda _: "f" * 64))
    with pytest.raises(IndexDamagedError, match=r"ffffffff, the manifest says e2a16859: .* other vectors"):
        Index.open(path)
