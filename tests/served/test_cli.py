"""The commands with a server: flag > CBIR_QDRANT_* > cbir.toml; the key is never shown; exit code 7."""

from __future__ import annotations

import json

import pytest
from gallery import gallery, unit_rows
from typer.testing import CliRunner

from cli.app import app
from indexer import Index


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def index(tmp_path, double):
    return gallery(tmp_path / "own.index", unit_rows(30, 8), store="faiss")


def test_an_index_moves_to_a_server_and_back(index, double):
    done = run("index", "convert", "-i", index, "--store", "qdrant", "--qdrant-url", double.url)
    assert done.exit_code == 0, done.output
    with Index.open(index) as opened:
        item = next(iter(opened.items())).id
    there = run("search", item, "-i", index, "--json")
    assert run("index", "compact", "-i", index).exit_code == 0
    again = run("search", item, "-i", index, "--json")
    assert run("index", "convert", "-i", index, "--store", "faiss").exit_code == 0
    back = run("search", item, "-i", index, "--json")
    hits = [json.loads(each.stdout)["hits"] for each in (there, again, back)]
    assert hits[0] == hits[1] == hits[2]


def test_without_the_server_a_command_ends_with_7_and_exact_answers(index, double):
    run("index", "convert", "-i", index, "--store", "qdrant", "--qdrant-url", double.url)
    with Index.open(index) as opened:
        item = next(iter(opened.items())).id
    double.plan.add("full", "GET", times=-1)
    failed = run("index", "compact", "-i", index)
    assert failed.exit_code == 7
    assert "has no room left" in failed.output
    assert "run again to go on" in failed.output  # nothing was searched for
    assert "--store exact" not in failed.output
    assert run("search", item, "-i", index, "--store", "exact").exit_code == 0


def test_the_key_is_never_shown(monkeypatch):
    monkeypatch.setenv("CBIR_QDRANT_API_KEY", "very-secret")
    shown = run("config", "show")
    assert "very-secret" not in shown.output
    assert "(secret)" in shown.output


def test_doctor_asks_the_server(monkeypatch, double):
    monkeypatch.setenv("CBIR_QDRANT_URL", double.url)
    assert "version 1.16.0" in run("doctor").output
    double.version = "1.1.0"
    assert "1.16.0 is the least" in run("doctor").output
