"""A server that asks for an API key: every command that searches an index, or writes to it, sends it."""

from __future__ import annotations

import pytest
from gallery import add, fill_model, spec_of, unit_rows
from qdrant_double import QdrantDouble
from typer.testing import CliRunner

from cli.app import app
from indexer import Index, IndexWriter
from indexer.stores.qdrant.connection import QdrantConnection

KEY = "very-secret"
ROWS = unit_rows(24, 8)


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def double():
    with QdrantDouble(api_key=KEY) as running:
        yield running


@pytest.fixture
def index(memory, double):
    return served_gallery(memory / "own.index", double)


def served_gallery(path, double):
    """/g/0 … of label l<n % 3>, each its own patient; the collection has the index's own name."""
    server = QdrantConnection(double.url, api_key=KEY)
    with IndexWriter.create(path, spec_of(8), fill_model, store="qdrant", server=server) as writer:
        writer.build_store("qdrant")
        for number, row in enumerate(ROWS):
            add(writer, f"/g/{number}", row, label=f"l{number % 3}", group=f"p{number}")
        writer.commit()
    return path


def first_item(index) -> str:
    with Index.open(index, store="exact") as opened:
        return next(iter(opened.items())).id


MOVED = ("--qdrant-collection", "elsewhere")
TUNED = ("--queries", "label=l0,l1", "--refine", "expand:k=2")
COMMANDS = {
    "search": lambda index: ("search", first_item(index), "-i", index),
    "search by case": lambda index: ("search", first_item(index), "-i", index, "--by", "case"),
    "evaluate": lambda index: ("evaluate", "-i", index),
    "verify": lambda index: ("index", "verify", "-i", index),
    "duplicates": lambda index: ("index", "duplicates", "-i", index),
    "tune": lambda index: ("index", "tune", "-i", index, *TUNED),
    "remove": lambda index: ("index", "remove", first_item(index), "-i", index),
    "compact": lambda index: ("index", "compact", "-i", index),
    "rebuild": lambda index: ("index", "rebuild", "-i", index),
    "convert": lambda index: ("index", "convert", "-i", index, "--store", "qdrant", *MOVED),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_key_of_the_settings_is_sent(name, index, double, monkeypatch):
    words = COMMANDS[name](index)
    refused = run(*words)
    assert refused.exit_code == 7, refused.output
    assert "Set CBIR_QDRANT_API_KEY" in refused.output
    monkeypatch.setenv("CBIR_QDRANT_API_KEY", KEY)
    double.plan.clear()
    done = run(*words)
    assert done.exit_code == 0, done.output
    assert double.plan.n_seen("/collections/")
    assert KEY not in done.output


@pytest.mark.parametrize("name", ["info", "whiten", "diff", "export", "snapshot"])
def test_what_does_not_search_asks_no_server(name, index, double, tmp_path):
    words = {
        "info": ("index", "info", "-i", index),
        "whiten": ("index", "whiten", "-i", index, "-o", tmp_path / "white.index", "--dim", 4),
        "diff": ("index", "diff", index, index),
        "export": ("index", "export", "-i", index, "-o", tmp_path / "all.parquet"),
        "snapshot": ("index", "snapshot", tmp_path / "all.tar", "-i", index),
    }[name]
    double.plan.clear()
    done = run(*words)
    assert done.exit_code == 0, done.output
    assert not double.plan.seen


def test_every_index_of_an_evaluation_is_asked_under_its_own_name(index, double, tmp_path, monkeypatch):
    other, third = (served_gallery(tmp_path / f"{name}.index", double) for name in ("other", "third"))
    monkeypatch.setenv("CBIR_QDRANT_API_KEY", KEY)
    moved = run("index", "convert", "-i", index, "--store", "qdrant", "--qdrant-collection", "own")
    assert moved.exit_code == 0, moved.output
    monkeypatch.setenv("CBIR_QDRANT_COLLECTION", "own")
    double.plan.clear()
    done = run("evaluate", "-i", index, "--compare", other, "--repeat", third, "--json")
    assert done.exit_code == 0, done.output
    asked = {line.split("/")[2] for line in double.plan.seen if line.endswith("/query/batch")}
    assert asked == {"own", *(collection_of(each) for each in (other, third))}
    monkeypatch.delenv("CBIR_QDRANT_API_KEY")
    assert run("evaluate", "-i", index, "--queries", other, "--allow-shared-groups").exit_code == 7


def test_the_url_of_the_settings_wins_over_the_one_in_the_index(index, monkeypatch):
    monkeypatch.setenv("CBIR_QDRANT_API_KEY", KEY)
    with QdrantDouble(api_key=KEY) as empty:
        monkeypatch.setenv("CBIR_QDRANT_URL", empty.url)
        for words in (("evaluate", "-i", index), ("index", "verify", "-i", index)):
            failed = run(*words)
            assert failed.exit_code == 7
            assert f"There is no collection {collection_of(index)!r} on {empty.url}" in failed.output


def test_an_import_goes_to_the_server_that_is_set(index, double, tmp_path, monkeypatch):
    monkeypatch.setenv("CBIR_QDRANT_API_KEY", KEY)
    exported = tmp_path / "all.parquet"
    assert run("index", "export", "-i", index, "-o", exported).exit_code == 0
    done = run("index", "import", exported, "-o", tmp_path / "in.index", "--qdrant-url", double.url)
    assert done.exit_code == 0, done.output
    name = collection_of(tmp_path / "in.index")
    with Index.open(index, store="exact") as opened:
        assert double.collections.get(name).shard.info().points_count == len(opened) > 0


def test_a_snapshot_of_a_served_index_is_restored_into_files(index, double, tmp_path, monkeypatch):
    monkeypatch.setenv("CBIR_QDRANT_API_KEY", KEY)
    monkeypatch.setenv("CBIR_QDRANT_URL", double.url)
    assert run("index", "snapshot", tmp_path / "all.tar", "-i", index).exit_code == 0
    double.plan.clear()
    restored = run("index", "restore", tmp_path / "all.tar", "-o", tmp_path / "copy.index")
    assert restored.exit_code == 0, restored.output
    assert not double.plan.seen
    assert collection_of(tmp_path / "copy.index") is None
    assert run("search", first_item(index), "-i", index).exit_code == 0


def collection_of(index) -> str | None:
    with Index.open(index, store="exact") as opened:
        return opened.info().store_settings.get("collection")
