"""The real hub library against a server that speaks the hub's few words; no hub can be asked in a test."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cbir.errors import BackendError, WeightsError
from cbir.extractors.preset import WeightsSource
from cbir.extractors.weights import WeightsStore, find_weights
from cbir.extractors.weights.inventory import check, entries_named, pull

OLD, NEW = "a" * 40, "b" * 40


class FakeHub:
    """One repository, someone/tiny, with files by revision."""

    def __init__(self) -> None:
        self.main = OLD
        self.files = {OLD: {"model.safetensors": b"old" * 99, "config.json": b"{}"},
                      NEW: {"model.safetensors": b"new" * 99}}  # fmt: skip
        self.wrong: dict[str, bytes] = {}
        self.denied = ""
        self.address = ""
        self.asked: list[str] = []

    def answer(self, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
        self.asked.append(f"{method} {path}")
        found = re.fullmatch(r"/someone/tiny/resolve/([^/]+)/(.+)", path)
        if self.denied:
            return 403, {"X-Error-Code": self.denied}, b""
        if not found:
            return 404, {"X-Error-Code": "RepoNotFound"}, b""
        commit = self.main if found[1] == "main" else found[1]
        if commit not in self.files:
            return 404, {"X-Error-Code": "RevisionNotFound"}, b""
        content = self.files[commit].get(found[2])
        if content is None:
            return 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit}, b""
        large = found[2].endswith(".safetensors")
        digest = hashlib.sha256(content).hexdigest() if large else hashlib.sha1(content).hexdigest()  # noqa: S324
        headers = {"X-Repo-Commit": commit, "ETag": f'"{digest}"'}
        if large:
            headers |= {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(content))}
        return 200, headers, self.wrong.get(found[2], content)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    fake = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            status, headers, content = fake.answer(self.command, self.path)
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_GET = do_HEAD = answer  # noqa: N815

        def log_message(self, *_words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    from huggingface_hub import constants

    address = fake.address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    yield fake
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def store(tmp_path) -> WeightsStore:
    return WeightsStore(tmp_path / "weights")


def source(text: str = "hub:someone/tiny") -> WeightsSource:
    return WeightsSource(text, license="MIT")


def test_what_the_hub_gives_is_checked_and_remembered_with_its_commit(hub, store, tmp_path):
    found = find_weights(source(), tmp_path, store=store)
    assert found.path.read_bytes() == b"old" * 99
    record = store.record("hub:someone/tiny")
    assert (record.revision, record.sha256, record.size) == (OLD, found.ref.sha256, 297)
    assert record.license == "MIT"
    assert record.recorded.endswith("+00:00")


def test_a_download_is_quiet_off_a_terminal(hub, tmp_path, capfd):
    find_weights(source(), tmp_path)
    assert capfd.readouterr() == ("", "")


def test_the_command_pulls_from_another_endpoint_and_the_next_one_asks_nobody(hub, tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CBIR_", "HF_"))}
    own = {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "hf"), "XDG_DATA_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "cli", "models", "pull", "hub:someone/tiny"]
    for is_asked in (True, False):
        hub.asked.clear()
        done = subprocess.run(command, env=kept | own, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")
        (line,) = done.stderr.splitlines()
        assert line.startswith("someone/tiny: ")
        assert (
            ("GET /someone/tiny/resolve/main/model.safetensors" in hub.asked) == bool(hub.asked) == is_asked
        )


def test_the_second_time_nobody_is_asked(hub, store, tmp_path):
    find_weights(source(), tmp_path, store=store)
    hub.asked.clear()
    find_weights(source(), tmp_path, store=store)
    assert hub.asked == []


def test_an_unpinned_source_stays_at_the_commit_of_the_first_pull(hub, store, tmp_path, monkeypatch):
    first = find_weights(source(), tmp_path, store=store)
    hub.main = NEW
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "other cache"))
    again = find_weights(source(), tmp_path, store=store)
    assert again.ref.sha256 == first.ref.sha256
    assert OLD in hub.asked[-1]


def test_a_commit_that_changed_its_content_is_refused(hub, store, tmp_path, monkeypatch):
    first = find_weights(source(), tmp_path, store=store)
    hub.files[OLD]["model.safetensors"] = b"hostile"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "other cache"))
    with pytest.raises(WeightsError, match=f"but {first.ref.sha256} since"):
        find_weights(source(), tmp_path, store=store)


def test_a_named_revision_and_a_named_file_are_asked_for(hub, store, tmp_path):
    found = find_weights(source(f"hub:someone/tiny@{NEW}"), tmp_path, store=store)
    assert found.path.read_bytes() == b"new" * 99
    found = find_weights(source(f"hub:someone/tiny/config.json@{OLD}"), tmp_path, store=store)
    assert found.path.read_bytes() == b"{}"


def test_a_download_that_is_not_what_the_hub_says_is_refused_and_not_remembered(hub, store, tmp_path):
    hub.wrong["model.safetensors"] = b"odl" * 99
    with pytest.raises(WeightsError, match="the download is damaged"):
        find_weights(source(), tmp_path, store=store)
    assert store.records() == ()


def test_a_pinned_sha256_that_the_hub_does_not_have_is_refused(hub, store, tmp_path):
    with pytest.raises(WeightsError, match=f"but {'0' * 64} is pinned"):
        find_weights(WeightsSource("hub:someone/tiny", sha256="0" * 64), tmp_path, store=store)
    assert store.records() == ()


@pytest.mark.parametrize(
    ("location", "denied", "kind", "match"),
    [
        ("hub:someone/gone", "", WeightsError, "has no someone/gone, or not for you"),
        ("hub:someone/tiny/gone.bin", "", WeightsError, "has no file gone.bin; name one"),
        (f"hub:someone/tiny@{'c' * 40}", "", WeightsError, "has no revision"),
        ("hub:someone/tiny", "GatedRepo", WeightsError, "accept their terms: do so at https://"),
        ("hub:someone/tiny", "SomethingElse", BackendError, "can't be fetched"),
    ],
)
def test_each_refusal_says_what_to_do_in_one_line(hub, store, tmp_path, location, denied, kind, match):  # noqa: PLR0917
    hub.denied = denied
    with pytest.raises(kind, match=match) as caught:
        find_weights(source(location), tmp_path, store=store)
    assert "\n" not in str(caught.value)
    assert store.records() == ()


def test_offline_asks_nobody(hub, store, tmp_path):
    with pytest.raises(WeightsError, match="offline"):
        find_weights(source(), tmp_path, offline=True, store=store)
    assert hub.asked == []


def test_what_another_program_downloaded_is_remembered_by_a_pull_without_asking(hub, store, tmp_path):
    find_weights(source(), tmp_path)
    hub.asked.clear()
    (entry,) = entries_named(["hub:someone/tiny"], store)
    assert check(entry, store).state == "ok"  # the cache's own name for it is its sha256
    pull(entry, store)
    assert hub.asked == []
    assert store.record("hub:someone/tiny").revision == OLD
