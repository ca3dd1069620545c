"""`cbir index duplicates`, on images that were copied, written again, and shrunk."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    """one.png copied, written with other compression, and as JPEG under another patient; two others."""
    folder = tmp_path_factory.mktemp("copies")
    rng = np.random.default_rng(5)
    for name in ("one", "two", "three"):
        coarse = Image.fromarray(rng.integers(0, 256, (32, 32), dtype=np.uint8))
        coarse.resize((128, 128), Image.Resampling.BICUBIC).save(folder / f"{name}.png")
    one = Image.open(folder / "one.png")
    shutil.copy(folder / "one.png", folder / "copy.png")
    one.save(folder / "written.png", compress_level=0)
    one.save(folder / "shrunk.jpg", quality=95)
    rows = [
        ("one.png", "anna", "train"), ("copy.png", "anna", "train"), ("written.png", "anna", "test"),
        ("shrunk.jpg", "berta", "test"), ("two.png", "carla", "train"), ("three.png", "dora", "test"),
    ]  # fmt: skip
    with (folder / "items.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "group", "split"), *rows])
    return folder


@pytest.fixture
def copies(run, images, tiny_model, tmp_path) -> Path:
    made = tmp_path / "copies.index"
    words = ("index", "build", images / "items.csv", "-o", made, "--extractor", tiny_model / "tiny.toml")
    run(*words, "--workers", 1)
    return made


def test_the_three_kinds_are_told_apart_in_every_format(run, copies, images):
    document = json.loads(run("index", "duplicates", "-i", copies, "--near", "0.999", "--json").stdout)
    told = {
        cluster["kind"]: {Path(item["path"]).name for item in cluster["items"]}
        for cluster in document["clusters"]
    }
    assert told["bytes"] == {"one.png", "copy.png"}
    assert "written.png" in told["pixels"]
    assert "shrunk.jpg" in told["near"]
    assert {"two.png", "three.png"}.isdisjoint(set.union(*told.values()))
    assert document["counts"] == {"bytes": 1, "pixels": 1, "near": 1}
    (near,) = (cluster for cluster in document["clusters"] if cluster["kind"] == "near")
    assert near["crosses_groups"]
    assert near["pairs"][0]["differing_bits"] < 50
    assert near["pairs"][0]["turn"] == "as it is"
    table = run("index", "duplicates", "-i", copies, "--near", "0.999")
    kinds = [" ".join(line.split()[:2]) for line in table.stdout.splitlines()[1:-1]]
    assert kinds == ["same bytes", "same pixels", "same pixels"]  # written again, like one and like its copy
    assert "the same" in table.stdout.splitlines()[-1]
    assert "same bytes 1, same pixels 1, near 1" in table.stderr
    assert "1 of them are of two patients or more" in table.stderr
    lines = run("index", "duplicates", "-i", copies, "--near", "0.999", "--csv").stdout
    rows = list(csv.DictReader(io.StringIO(lines)))
    assert [row["kind"] for row in rows] == ["bytes", "pixels", "pixels", "near"]
    assert [row["crosses_groups"] for row in rows] == ["false", "false", "false", "true"]


def test_across_a_split_a_pair_is_a_leak_and_the_exit_code_says_so(run, copies):
    words = ("index", "duplicates", "-i", copies, "--near", "0.999", "--split", "split")
    result = run(*words, "--json", expect=1)
    document = json.loads(result.stdout)
    assert [cluster["kind"] for cluster in document["clusters"]] == ["pixels", "near"]
    for cluster in document["clusters"]:
        assert {item["split"] for item in cluster["items"]} == {"train", "test"}
    run("index", "remove", *(item["id"] for c in document["clusters"] for item in c["items"]), "-i", copies)
    assert run(*words).stdout == ""


def test_what_makes_no_sense_is_a_usage_error(run, copies):
    assert "use a cosine above 0" in run("index", "duplicates", "-i", copies, "--near", "0", expect=2).stderr
    result = run("index", "duplicates", "-i", copies, "--across", "nothing", expect=2)
    assert "has no column 'nothing'" in result.stderr
    run("index", "duplicates", "-i", copies, "--json", "--csv", expect=2)


def test_an_imported_index_has_duplicates_too(run, images, tmp_path):
    rows = np.random.default_rng(0).standard_normal((6, 8)).astype(np.float32)
    rows[5] = rows[4]
    np.save(tmp_path / "rows.npy", rows)
    words = ("--items", images / "items.csv", "--name", "made", "-o", "made.index")
    run("index", "import", "rows.npy", *words)
    document = json.loads(run("index", "duplicates", "-i", "made.index", "--json").stdout)
    assert "near" in {cluster["kind"] for cluster in document["clusters"]}
