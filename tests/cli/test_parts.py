"""Tiles kept as parts, from files to hits: what is small in a large image is found, and where it lies."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from cli.app import app
from indexer import Index

N_IMAGES, SIDE, PATCH = 8, 128, 56


def patch_of(number: int) -> NDArray[np.uint8]:
    """Stripes of a direction and a width of their own."""
    down, across = np.mgrid[:PATCH, :PATCH]
    angle = np.pi * number / N_IMAGES
    wave = np.sin((across * np.cos(angle) + down * np.sin(angle)) * (0.3 + 0.1 * (number % 3)))
    return (128 + 120 * wave).astype(np.uint8)


def place_of(number: int) -> tuple[int, int]:
    """x, y of the patch: inside one of the four quarters of the image."""
    return 64 * (number % 2) + 4, 64 * (number // 2 % 2) + 4


@pytest.fixture(scope="module")
def built(tiny_model, tmp_path_factory) -> Path:
    """Eight grey images, each with its patch; the index ``parts.index`` beside the folder ``images``."""
    folder = tmp_path_factory.mktemp("parts")
    (folder / "images").mkdir()
    for number in range(N_IMAGES):
        pixels = np.full((SIDE, SIDE), 90, np.uint8)
        x, y = place_of(number)
        pixels[y : y + PATCH, x : x + PATCH] = patch_of(number)
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
        Image.fromarray(patch_of(number)).save(folder / f"patch {number}.png")
    preset = (tiny_model / "tiny.toml").read_text().replace("file:", f"file:{tiny_model}/")
    tiles = '[tiles]\nacross = 2\noverlap = 0.0\nwhole = true\nkeep = "parts"\n'
    head, rest = preset.split("[[branch]]")
    (folder / "parts.toml").write_text(f"{head}\n{tiles}\n[[branch]]{rest}")
    run(
        "index",
        "build",
        folder / "images",
        "-o",
        folder / "parts.index",
        "--extractor",
        folder / "parts.toml",
    )
    return folder


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
    assert result.exit_code == 0, result.output
    return result.stdout


def hits(folder: Path, query: object, k: int = 3) -> list[dict]:
    return json.loads(run("search", query, "-i", folder / "parts.index", "-k", k, "--json"))["hits"]


@pytest.mark.parametrize("number", range(N_IMAGES))
def test_a_patch_alone_finds_its_image_first_and_where_it_lies(built, number):
    first, *_ = hits(built, built / f"patch {number}.png")
    assert Path(first["path"]).name == f"{number}.png"
    x, y, width, height = first["box"]
    left, top = place_of(number)
    assert x <= left
    assert y <= top
    assert left + PATCH <= x + width
    assert top + PATCH <= y + height
    assert (width, height) == (64, 64)


def test_an_index_of_parts_counts_them_and_is_sound(built):
    with Index.open(built / "parts.index") as index:
        assert (len(index), index.info().n_rows) == (N_IMAGES, 5 * N_IMAGES)
    assert "8 (40 embeddings of their parts, 0 without items)" in run(
        "index", "info", "-i", built / "parts.index"
    )
    run("index", "verify", "-i", built / "parts.index")


def test_every_hit_is_another_image_and_an_item_finds_the_others(built):
    found = hits(built, built / "patch 3.png", 99)
    assert sorted(Path(hit["path"]).name for hit in found) == [f"{number}.png" for number in range(N_IMAGES)]
    others = hits(built, found[0]["id"], 99)
    assert {hit["id"] for hit in others} == {hit["id"] for hit in found[1:]}


def test_an_image_of_the_index_finds_itself_with_a_score_of_one(built):
    first = hits(built, built / "images" / "5.png")[0]
    assert (Path(first["path"]).name, first["score"]) == ("5.png", pytest.approx(1, abs=1e-4))


def test_an_update_adds_parts_and_a_removal_takes_them_along(built, tmp_path):
    import shutil

    own = shutil.copytree(built / "parts.index", tmp_path / "own.index")
    new = tmp_path / "new"
    new.mkdir()
    shutil.copy(built / "images" / "0.png", new / "copy.png")
    Image.open(built / "images" / "1.png").transpose(Image.Transpose.ROTATE_90).save(new / "turned.png")
    run("index", "update", new, "-i", own)
    with Index.open(own) as index:
        assert (len(index), index.info().n_rows) == (N_IMAGES + 2, 5 * (N_IMAGES + 1))
        turned = next(item.id for item in index.items() if item.path.endswith("turned.png"))
    run("index", "remove", turned, "-i", own)
    run("index", "compact", "-i", own)
    with Index.open(own) as index:
        assert (len(index), index.info().n_rows) == (N_IMAGES + 1, 5 * N_IMAGES)
        assert index.verify().ok


def test_the_table_and_the_page_show_where(built, tmp_path):
    page = tmp_path / "hits.html"
    words = ("search", built / "patch 3.png", "-i", built / "parts.index", "-k", 2, "--html", page)
    header, first, _ = run(*words).splitlines()
    assert "where" in header.split()
    assert "64,64,64,64" in first.split()
    drawn = re.findall(r'<div class="part"[^>]*style="([^"]*)"', page.read_text())
    assert drawn[0] == "left:50.000%;top:50.000%;width:50.000%;height:50.000%"
