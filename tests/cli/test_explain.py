"""`cbir search --explain DIR`: pictures, their JSON, the page, and what can't be explained."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.exit_codes import ExitCode

COLD = """
import atexit, sys
heavy = ("torch", "timm", "captum", "faiss", "openvino", "scipy", "PIL", "matplotlib", "pyarrow")
atexit.register(lambda: print("loaded:", *(each for each in heavy if each in sys.modules), file=sys.stderr))
from cli.app import app
app(sys.argv[1:], prog_name="cbir")
"""


def told(folder: Path) -> dict:
    return json.loads((folder / "explain.json").read_text())


def pixels_of(picture: Path) -> np.ndarray:
    with Image.open(picture) as opened:
        return np.asarray(opened.convert("RGB")).astype(int)


def heat_of(picture: Path) -> np.ndarray:
    """How far from grey."""
    pixels = pixels_of(picture)
    return pixels.max(axis=2) - pixels.min(axis=2)


@pytest.fixture(scope="module")
def explained(index, gallery, tmp_path_factory) -> Path:
    """A search in a process of its own, which loads neither torch nor what it does not need."""
    folder = tmp_path_factory.mktemp("explained")
    words = ["search", gallery / "two.png", "-i", index, "-k", 3, "--explain", folder / "out"]
    command = [sys.executable, "-c", COLD, *map(str, words), "--html", str(folder / "page.html"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "loaded:"
    return folder


def test_each_hit_has_a_pair_of_pictures_of_the_images_sizes(explained):
    names = {f"rank-0{rank}-{side}.png" for rank in (1, 2, 3) for side in ("query", "hit")}
    assert {each.name for each in (explained / "out").iterdir()} == names | {"explain.json"}
    for name in names:
        assert pixels_of(explained / "out" / name).shape == (80, 96, 3)
        assert heat_of(explained / "out" / name).max() > 50


def test_the_json_says_method_score_and_parts(explained, index):
    document = told(explained / "out")
    assert (document["cbir"], document["complete"], len(document["hits"])) == ("explain", True, 3)
    first, second, _ = document["hits"]
    assert first["query"] == first["hit"] | {"file": "rank-01-query.png"}
    for hit in (first, second):
        for side in ("query", "hit"):
            assert hit[side]["cosine"] == pytest.approx(hit["score"], abs=5e-3)
            [branch] = hit[side]["branches"]
            assert branch == {"backbone": "timm:test_resnet", "method": "shares", "part": hit[side]["cosine"]}
    assert first["patches"][0]["query"] == first["patches"][0]["hit"]


def test_the_page_shows_both_sides(explained):
    page = (explained / "page.html").read_text()
    assert page.count("where it resembles the query") == 3
    assert page.count("coloured where the query and hit") == 6
    assert "shares of the score" in page


def test_an_item_is_explained_by_its_file(run, index, gallery, tmp_path):
    item = json.loads(run("search", gallery / "two.png", "-i", index, "--json", "-k", 1).stdout)["hits"][0][
        "id"
    ]
    run("search", item, "-i", index, "-k", 1, "--explain", tmp_path / "out")
    assert heat_of(tmp_path / "out" / "rank-01-query.png").max() > 50


def test_a_region_is_explained_as_if_it_were_the_whole(run, index, gallery, tmp_path):
    words = ["search", gallery / "two.png", "-i", index, "-k", 1, "--explain", tmp_path / "out"]
    run(*words, "--roi", "10,20,64,48")
    assert pixels_of(tmp_path / "out" / "rank-01-query.png").shape == (48, 64, 3)
    for pair in told(tmp_path / "out")["hits"][0]["patches"]:
        assert 10 <= pair["query"][0] <= 74
        assert 20 <= pair["query"][1] <= 68


def test_five_views_are_explained_by_the_original(run, index, gallery, tmp_path):
    result = run("search", gallery / "two.png", "-i", index, "-k", 1, "--tta", "--explain", tmp_path / "out")
    [hit] = told(tmp_path / "out")["hits"]
    assert hit["query"]["cosine"] == pytest.approx(1.0, abs=1e-4)
    assert hit["score"] < 1.0
    assert "explained by shares of the score" in result.stderr


def test_a_hit_whose_file_is_gone_has_its_thumbnail_and_a_note(run, gallery, tiny_model, tmp_path):
    shutil.copytree(gallery, tmp_path / "images", symlinks=True)
    made = tmp_path / "own.index"
    run("index", "build", tmp_path / "images", "-o", made, "--extractor", tiny_model / "tiny.toml", expect=3)
    (tmp_path / "images" / "two.png").unlink()
    shutil.copy(tmp_path / "images" / "three.png", tmp_path / "images" / "one again.png")
    for name, reason in (("two.png", "vanished"), ("one.png", "changed since it was indexed")):
        result = run("search", gallery / name, "-i", made, "-k", 2, "--explain", tmp_path / "out")
        hit = next(each for each in told(tmp_path / "out")["hits"] if each["note"])
        assert hit["hit"] is None
        assert hit["query"]["branches"][0]["method"] == "shares"
        assert reason in hit["note"]
        assert hit["note"] in result.stderr
        assert heat_of(tmp_path / "out" / f"rank-0{hit['rank']}-hit.png").max() < 10


def test_an_index_from_before_explanations_says_so(run, index, gallery, tmp_path, monkeypatch):
    monkeypatch.setattr("cbir.runtime.onnxruntime.OrtNetwork.has_features", False)
    words = ["search", gallery / "two.png", "-i", index, "--explain", tmp_path / "out"]
    assert "(build it again)" in run(*words, expect=ExitCode.ERROR).stderr
    assert not (tmp_path / "out").exists()


def test_descriptors_alone_have_no_place(run, golden_index, gallery, tmp_path):
    words = ["search", gallery / "two.png", "-i", golden_index(1), "--explain", tmp_path / "out"]
    assert "has descriptors alone" in run(*words, expect=ExitCode.ERROR).stderr


def test_what_can_not_be_explained_is_refused_before_the_search(run, index, gallery, tmp_path):
    item = json.loads(run("search", gallery / "two.png", "-i", index, "--json", "-k", 1).stdout)["hits"][0][
        "id"
    ]
    to = ["-i", index, "--explain", tmp_path / "out"]
    assert "name one" in run("search", "--like", item, *to, expect=ExitCode.USAGE).stderr
    assert "can't go together" in run("search", "--batch", "q.csv", *to, expect=ExitCode.USAGE).stderr
    assert "leave out --by case" in run("search", gallery, "--by", "case", *to, expect=ExitCode.USAGE).stderr
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "rank-02-hit.png").write_text("mine")
    refused = run("search", gallery / "two.png", *to, expect=ExitCode.ERROR).stderr
    assert "rank-02-hit.png is there already" in refused
    assert "\n" not in refused.strip()


def test_of_tiles_the_part_that_made_the_score_is_coloured(run, tiny_model, tmp_path):
    rng = np.random.default_rng(3)
    patch = rng.integers(0, 255, (56, 56), dtype=np.uint8)
    (tmp_path / "images").mkdir()
    for number, (x, y) in enumerate(((4, 4), (68, 68))):
        pixels = np.full((128, 128), 90, np.uint8)
        pixels[y : y + 56, x : x + 56] = patch
        Image.fromarray(pixels).save(tmp_path / "images" / f"{number}.png")
    preset = (tiny_model / "tiny.toml").read_text().replace("file:", f"file:{tiny_model}/")
    head, rest = preset.split("[[branch]]")
    tiles = '[tiles]\nacross = 2\noverlap = 0.0\nkeep = "parts"\nmin_content = 0.0\n'
    (tmp_path / "parts.toml").write_text(f"{head}\n{tiles}\n[[branch]]{rest}")
    made = tmp_path / "parts.index"
    run("index", "build", tmp_path / "images", "-o", made, "--extractor", tmp_path / "parts.toml")
    Image.fromarray(patch).save(tmp_path / "patch.png")
    words = ["search", tmp_path / "images" / "0.png", "-i", made, "-k", 2, "--json"]
    hits = json.loads(run(*words, "--explain", tmp_path / "out").stdout)["hits"]
    for hit in hits:
        x, y, width, height = hit["box"]
        heat = heat_of(tmp_path / "out" / f"rank-0{hit['rank']}-hit.png")
        inside = np.zeros(heat.shape, dtype=bool)
        inside[y : y + height, x : x + width] = True
        assert heat[~inside].max() == 0
        assert heat[inside].max() > 50
