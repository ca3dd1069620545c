from __future__ import annotations

import json
from pathlib import Path

import pytest

from cbir.images.settings import DecodeLimits
from cli.exit_codes import UsageProblem
from cli.settings import Settings, load_settings, resolve


@pytest.fixture(autouse=True)
def nothing_set(run):
    """An empty folder, no CBIR_* variable, no user configuration."""


def test_defaults_are_those_of_the_library():
    assert Settings().limits == DecodeLimits()
    assert Settings().policy == {}


def test_a_flag_wins_over_the_environment_over_the_file_over_the_default(monkeypatch):
    assert load_settings().workers is None
    Path("cbir.toml").write_text("workers = 2")
    assert load_settings().workers == 2
    monkeypatch.setenv("CBIR_WORKERS", "3")
    assert load_settings().workers == 3
    assert load_settings(workers=4).workers == 4


def test_the_file_here_wins_over_that_of_the_user():
    user = Path("config/cbir/cbir.toml")
    user.parent.mkdir(parents=True)
    user.write_text("extractor = 'resnet50'")
    assert load_settings().extractor == "resnet50"
    Path("cbir.toml").write_text("extractor = 'vgg16'")
    assert load_settings().extractor == "vgg16"


def test_a_path_in_a_file_is_relative_to_the_file():
    user = Path("config/cbir/cbir.toml")
    user.parent.mkdir(parents=True)
    user.write_text("index = 'all.index'")
    assert load_settings().index.absolute() == user.parent.absolute() / "all.index"


def test_an_empty_variable_sets_nothing(monkeypatch):
    monkeypatch.setenv("CBIR_WORKERS", "")
    assert load_settings().workers is None


@pytest.mark.parametrize("word", ["1", "true", "Yes", "on"])
def test_a_switch_in_the_environment_is_a_word(monkeypatch, word):
    monkeypatch.setenv("CBIR_OFFLINE", word)
    assert load_settings().offline is True


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wrokers = 2", "did you mean workers"),
        ("workers = 'many'", "workers is 'many' (cbir.toml); it takes int"),
        ("workers = true", "workers is True"),
        ("workers = 0", "use 1 or more"),
        ("timeout_s = -1", "timeout_s is -1"),
        ("frames = 'last'", "it takes first, middle, all, skip"),
        ("offline = 'perhaps'", "offline is 'perhaps'"),
        ("workers = ", "can't be read"),
        ("[index]\npath = 'x'", "index is {"),
    ],
)
def test_nonsense_in_the_file_is_refused_naming_the_key(text, said):
    Path("cbir.toml").write_text(text)
    with pytest.raises(UsageProblem) as refusal:
        load_settings()
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_nonsense_in_the_file_is_a_usage_error_of_every_command(run):
    Path("cbir.toml").write_text("indx = 'a'")
    assert "did you mean index?" in run("search", "x.png", expect=2).stderr


def test_config_show_tells_where_each_setting_comes_from(run, monkeypatch):
    Path("cbir.toml").write_text("memory_mb = 512")
    monkeypatch.setenv("CBIR_INDEX", "lesions.index")
    settings = json.loads(run("config", "show", "--json").stdout)["settings"]
    assert settings["index"] == {"value": "lesions.index", "origin": "CBIR_INDEX"}
    assert settings["memory_mb"] == {"value": 512, "origin": "cbir.toml"}
    assert settings["device"] == {"value": "auto", "origin": "default"}
    assert "CBIR_INDEX" in run("config", "show").stdout


def test_the_patient_key_is_never_shown(run, monkeypatch):
    monkeypatch.setenv("CBIR_PATIENT_KEY", "very-secret-words")
    for words in (["config", "show"], ["config", "show", "--json"], ["doctor"]):
        assert "very-secret" not in run(*words).output
    assert "very-secret" not in repr(resolve().settings)
