"""`cbir serve` and `cbir serve key new`: what they refuse, and how they end."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import app
from deploy.service.keys import Keys


@pytest.fixture
def cbir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CBIR_INDEX", raising=False)

    def run(*words: object, expect: int = 0):
        result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
        assert result.exit_code == expect, result.output
        return result

    return run


def test_a_key_is_shown_once_and_kept_as_a_hash(cbir):
    made = cbir("serve", "key", "new", "--keys", "keys.json", "--scope", "write", "--index", "lesions")
    token = made.stdout.strip()
    caller = Keys(Path("keys.json")).caller(token)
    assert (caller.scope, caller.indexes) == ("write", {"lesions"})


def test_other_machines_need_keys(cbir, lesions):
    result = cbir("serve", "-i", lesions, "--host", "10.0.0.1", expect=2)
    assert "--keys FILE" in result.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-i", "nothing.index"], 4, "nothing.index"),
        (["-i", "LESIONS", "-i", "LESIONS"], 2, "Two indexes are named 'lesions'"),
        (["-i", "a b=LESIONS"], 2, "'a b' can't name an index"),
        (["-i", "LESIONS", "--keys", "none.json"], 1, "There is no file of keys none.json"),
        (["-i", "LESIONS", "--tenant", "s1", "--wait-s", "0"], 2, "wait_s is 0"),
    ],
)
def test_what_can_not_be_served_is_said_at_once(cbir, lesions, words, code, said):
    filled = [str(word).replace("LESIONS", str(lesions)) for word in words]
    assert said in cbir("serve", *filled, expect=code).stderr


def test_a_port_that_is_taken_is_said(cbir, lesions):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = cbir("serve", "-i", lesions, "--port", port, expect=1)
    assert f"127.0.0.1:{port}" in result.stderr
    assert "in use" in result.stderr


def test_ctrl_c_ends_it_well(process, lesions):
    service = process("-i", f"one={lesions}", "-i", f"two={lesions}")
    with service.client() as client:
        assert [each["name"] for each in client.get("/v1/indexes").json()["indexes"]] == ["one", "two"]
    service.signal(signal.SIGINT)
    assert service.wait() == 0
