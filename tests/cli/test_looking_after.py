"""Snapshot, restore, convert, rebuild, export, diff: through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from indexer import Index


def hits(run, index: Path, item: str) -> object:
    return json.loads(run("search", item, "-i", index, "-k", 20, "--json").stdout)["hits"]


@pytest.fixture
def first(index: Path) -> str:
    """The id of an item."""
    with Index.open(index) as opened:
        return next(opened.items()).id


def test_a_snapshot_restored_answers_images_without_the_originals(run, index, gallery, tmp_path):
    said = run("index", "snapshot", "a.cbir.tar", "-i", index).stderr
    assert "7 items" in said or "8 items" in said
    run("index", "restore", "a.cbir.tar", "-o", "back.index")
    run("index", "verify", "-i", "back.index")
    image = gallery / "one.png"
    assert hits(run, Path("back.index"), image) == hits(run, index, image)
    assert (
        "There is an index at" in run("index", "restore", "a.cbir.tar", "-o", "back.index", expect=1).stderr
    )
    assert "there already" in run("index", "snapshot", "a.cbir.tar", "-i", index, expect=1).stderr


def test_a_damaged_snapshot_is_4_in_one_line(run, index):
    run("index", "snapshot", "a.tar", "-i", index)
    content = bytearray(Path("a.tar").read_bytes())
    content[len(content) // 2] ^= 4
    Path("a.tar").write_bytes(content)
    for file in ("a.tar", "gone.tar"):
        result = run("index", "restore", file, "-o", "back.index", expect=4)
        assert result.stderr.count("\n") == 1
    assert not Path("back.index").exists()


def test_converting_there_and_back_changes_no_answer(run, own_index, first):
    before = hits(run, own_index, first)
    for kind in ("qdrant", "exact", "faiss"):
        said = run("index", "convert", "--store", kind, "-i", own_index).stderr
        assert f"building the store {kind}" in said
        assert json.loads(run("index", "info", "-i", own_index, "--json").stdout)["store"] == kind
        assert hits(run, own_index, first) == before
        run("index", "verify", "-i", own_index)
    assert "cbir index rebuild" in run("index", "convert", "--store", "faiss", "-i", own_index).stderr
    run("index", "rebuild", "-i", own_index)
    assert hits(run, own_index, first) == before
    run("index", "convert", "--store", "chroma", "-i", own_index, expect=2)
    run("index", "rebuild", "-i", "gone.index", expect=4)


def test_an_export_is_imported_again_and_finds_the_same(run, index, first):
    said = run("index", "export", "-o", "a.parquet", "-i", index).stderr
    assert "a.parquet: 8 items, 8 embeddings" in said
    result = run("index", "import", "a.parquet", "-o", "back.index")
    assert "exported from an index of tiny" in result.stderr
    assert hits(run, Path("back.index"), first) == hits(run, index, first)
    run("index", "verify", "-i", "back.index")
    assert "cbir search" in result.stderr
    assert "no network to embed" in run("index", "update", "-i", "back.index", expect=5).stderr
    assert "there already" in run("index", "export", "-o", "a.parquet", "-i", index, expect=1).stderr
    assert "'.xlsx'" in run("index", "export", "-o", "a.xlsx", "-i", index, expect=1).stderr


def test_an_import_of_what_is_no_export_says_what_it_needs(run):
    np.save("e.npy", np.eye(3))
    result = run("index", "import", "e.npy", expect=2)
    assert "--items, and what made them with --name" in result.stderr
    assert "belong together" in run("index", "import", "e.npy", "--name", "x", expect=2).stderr
    assert not Path("cbir.index").exists()


def test_the_difference_of_two_indexes_is_a_table_or_json_and_always_0(run, index, own_index, gallery):
    assert "8 the same in all" in run("index", "diff", index, own_index).stdout
    assert json.loads(run("index", "diff", index, own_index, "--json").stdout)["equal"] is True
    run("index", "remove", gallery / "two.png", "-i", own_index)
    text = run("index", "diff", index, own_index).stdout
    assert "two.png" in text
    document = json.loads(run("index", "diff", index, own_index, "--by", "content", "--json").stdout)
    assert (document["equal"], document["only_a"]["count"], document["n_same"]) == (False, 1, 7)
    run("index", "diff", index, "gone.index", expect=4)
