from __future__ import annotations

import json
from pathlib import Path

from cli.patient_key import key_file, read_or_make_key


def findings(run, expect: int = 0) -> list[dict[str, str]]:
    return json.loads(run("doctor", "--json", expect=expect).stdout)["findings"]


def named(found: list[dict[str, str]], name: str) -> list[dict[str, str]]:
    return [each for each in found if each["name"] == name]


def test_a_sound_installation_has_no_failure(run):
    found = findings(run)
    assert not [each for each in found if each["status"] == "fail"]
    names = {each["name"] for each in found}
    assert names >= {
        "python",
        "packages",
        "decoder worker",
        "formats",
        "DICOM",
        "weights",
        "processor",
        "memory",
    }
    assert names >= {"disk", "gpu", "cbir.toml", "environment", "patient key", "network", "index"}
    assert "JPEG 2000" in named(found, "DICOM")[0]["what"]
    assert "as pinned" in named(found, "weights")[0]["what"]


def test_every_trouble_comes_with_its_fix(run, monkeypatch):
    Path("cbir.toml").write_text("extractor = 'nonsense'")
    monkeypatch.setenv("CBIR_WORKRES", "3")
    read_or_make_key(None)
    key_file().chmod(0o644)
    Path("cbir.index").mkdir()
    Path("cbir.index/manifest.json").write_text("{")
    found = findings(run, expect=1)
    troubled = {each["name"] for each in found if each["status"] != "ok"}
    assert troubled >= {"weights", "environment", "patient key", "index"}
    assert all(each["fix"] for each in found if each["status"] != "ok")
    assert "CBIR_WORKERS" in named(found, "environment")[0]["fix"]
    assert "→" in run("doctor", expect=1).stdout


def test_broken_settings_are_a_finding_not_the_end(run):
    Path("cbir.toml").write_text("nonsense = 1")
    assert "nonsense" in named(findings(run, expect=1), "settings")[0]["what"]
