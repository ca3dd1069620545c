"""`cbir models`: weights are listed, checked, carried and placed."""

from __future__ import annotations

import hashlib
import json

import pytest


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Empty folders of weights and of the hub's cache, and a hub that can't be reached."""
    import socket

    import huggingface_hub.constants

    def refuse(*_words: object) -> None:
        raise OSError("network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


def rows(text: str) -> dict[str, list[str]]:
    return {line.split()[0]: line.split() for line in text.splitlines()}


def test_list_says_licence_digest_and_whereabouts(run, folders):
    found = rows(run("models", "list").stdout)
    assert "missing" in found["resnet50.tv2_in1k"]
    assert "c894c6d9" in found["densenet121.tv_in1k"]
    assert "Apache-2.0" in found["efficientnet_lite0"]
    assert found["efficientnet_lite0"][-1].endswith(".pth")
    page = json.loads(run("models", "list", "--json").stdout)
    names = [each["name"] for each in page["weights"]]
    assert len(names) == len(set(names))
    assert {each["name"]: each["path"] for each in page["weights"]}["vgg16.tv_in1k"] is None


def test_an_unreachable_hub_is_7_and_one_line(run, folders):
    result = run("models", "pull", "resnet50", expect=7)
    assert len(result.stderr.splitlines()) == 1
    assert "cbir models install FILE" in result.stderr


@pytest.mark.parametrize("word", ["--offline", ""])
def test_offline_is_1_and_says_the_other_way(run, folders, monkeypatch, word):
    if not word:
        monkeypatch.setenv("CBIR_OFFLINE", "1")
    result = run("models", "pull", "resnet50", *([word] if word else []), expect=1)
    assert "offline" in result.stderr


def test_weights_carried_by_hand_are_installed_listed_and_verified(run, folders):
    content = b"weights"
    (folders / "w").write_bytes(content)
    run("models", "install", "w", "--as", "resnet50.tv2_in1k")
    digest = hashlib.sha256(content).hexdigest()
    found = rows(run("models", "list").stdout)["resnet50.tv2_in1k"]
    assert digest[:8] in found
    assert found[-1].startswith(str(folders / "data"))
    assert rows(run("models", "verify", "resnet50").stdout)["resnet50.tv2_in1k"][1] == "ok"
    run("models", "pull", "resnet50")  # it is here: nobody is asked


def test_a_bundle_goes_to_another_machine(run, folders, monkeypatch):
    (folders / "w").write_bytes(b"weights")
    run("models", "install", "w", "--as", "resnet50")
    result = run("models", "bundle", "quick", "resnet50", "-o", "b.cbirmodels")
    digest = hashlib.sha256((folders / "b.cbirmodels").read_bytes()).hexdigest()
    assert f"--sha256 {digest}" in result.stderr
    monkeypatch.setenv("XDG_DATA_HOME", str(folders / "elsewhere"))
    assert digest in run("models", "install", "b.cbirmodels", "--sha256", "0" * 64, expect=1).stderr
    run("models", "install", "b.cbirmodels", "--sha256", digest)
    found = rows(run("models", "list").stdout)
    for name in ("efficientnet_lite0", "resnet50.tv2_in1k"):
        assert found[name][-1].startswith(str(folders / "elsewhere"))


def test_a_file_that_differs_is_1_and_names_both_digests(run, folders):
    (folders / "w").write_bytes(b"weights")
    run("models", "install", "w", "--as", "resnet50")
    (path,) = (folders / "data").glob("cbir/weights/files/*")
    path.write_bytes(b"flipped")
    result = run("models", "verify", expect=1)
    line = rows(result.stdout)["resnet50.tv2_in1k"]
    assert line[1] == "differs"
    assert hashlib.sha256(b"flipped").hexdigest() in line
    assert hashlib.sha256(b"weights").hexdigest() in line


def test_missing_weights_are_told_and_only_wrong_when_named(run, folders):
    assert rows(run("models", "verify").stdout)["resnet50.tv2_in1k"][1] == "missing"
    run("models", "verify", "resnet50", expect=1)


def test_weights_that_are_not_here_can_not_be_bundled(run, folders):
    result = run("models", "bundle", "resnet50", "-o", "b", expect=1)
    assert "cbir models pull resnet50.tv2_in1k" in result.stderr
    assert not (folders / "b").exists()


@pytest.mark.parametrize(
    ("words", "code", "match"),
    [
        (["pull"], 2, "--all"),
        (["pull", "quick", "--all"], 2, "--all"),
        (["pull", "inception"], 1, "densenet121"),
        (["install", "gone"], 1, "No such file"),
        (["install", "gone", "--as", "quick", "--sha256", "0" * 64], 2, "--sha256"),
        (["bundle", "gone.toml"], 1, "can't be read"),
    ],
)
def test_wrong_words_are_one_line(run, folders, words, code, match):
    assert match in run("models", *words, expect=code).stderr


def test_what_is_no_bundle_is_refused(run, folders):
    (folders / "x").write_bytes(b"x" * 2000)
    assert "is no bundle" in run("models", "install", "x", expect=1).stderr
    assert not list((folders / "data").glob("cbir/weights/files/*"))
