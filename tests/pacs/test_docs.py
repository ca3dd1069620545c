"""What docs/pacs.md tells a reader to write works."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields
from pathlib import Path

from dicomweb_double import DicomWebDouble
from made_dicom import small_dicom
from typer.testing import CliRunner

from cbir.items.dicomweb import PacsAddress
from cli.app import app
from cli.settings import Settings

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "pacs.md").read_text(encoding="utf-8")
COMMANDS = [shlex.split(line)[1:] for line in DOCS.splitlines() if line.startswith("cbir ")]
ITS_URL = "http://localhost:8042/dicom-web"


def test_every_command_runs_one_after_the_other(tiny_model, tmp_path, monkeypatch):
    for name, value in {"EXTRACTOR": tiny_model / "tiny.toml", "PATIENT_KEY": "test", "WORKERS": 1}.items():
        monkeypatch.setenv(f"CBIR_{name}", str(value))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "image.dcm").write_bytes(small_dicom(3))
    with DicomWebDouble() as double:
        double.put(small_dicom(1, modality="MG"))
        double.put(small_dicom(2, study=2, modality="CR", date="20200601"))
        for words in COMMANDS:
            if words[:2] != ["pacs", "watch"]:  # which ends when it is told to: see test_watch
                result = CliRunner().invoke(app, [word.replace(ITS_URL, double.url) for word in words])
                assert result.exit_code == 0, result.output
    assert len(COMMANDS) == 5
    assert "2 hits of 2" in result.output


def test_every_setting_is_told():
    named = {each.name for each in fields(Settings) if each.name.startswith("dicomweb_")}
    assert {name for name in named if name not in DOCS and f"CBIR_{name.upper()}" not in DOCS} == set()


def test_the_filters_are_those_that_are_understood():
    table = re.findall(r"^\| (`.*) \| `(\S+?)`", DOCS, re.MULTILINE)
    asked = [(name, value) for names, value in table for name in re.findall(r"`([A-Z]\w+)`", names)]
    assert len(asked) == 6
    for name, value in asked:
        assert PacsAddress.parse(f"dicomweb+{ITS_URL}?{name}={value}").filter(name) == value
