"""The command line over a folder with a slide in it."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from slide_files import PIECES, glass
from typer.testing import CliRunner, Result

from cli.app import app

pytest.importorskip("openslide", reason="whole slides need the extra wsi")


@pytest.fixture
def run(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("CBIR_") or name == "NO_COLOR"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run_words(*words: object, expect: int = 0) -> Result:
        result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
        assert result.exit_code == expect, result.output
        return result

    return run_words


@pytest.fixture
def page(tiny_model, tmp_path) -> Path:
    """An extractor that takes slides at 10x, in tiles of 64 pixels."""
    text = (tiny_model / "tiny.toml").read_text()
    weights = (tiny_model / "random.safetensors").as_posix()
    text = text.replace("file:random.safetensors", f"file:{weights}")
    (tmp_path / "slides.toml").write_text(text + "\n[slides]\nmagnification = 10\ntile_px = 64\n")
    return tmp_path / "slides.toml"


def test_a_patch_finds_its_slide_and_a_slide_finds_itself(run, page, make_slide, tmp_path):
    slide = make_slide("Fall 7 – Präparat.svs")
    shades = np.tile(np.arange(64, dtype=np.uint8)[:, None], (1, 64))
    cv2.imwrite(str(slide.parent / "other.png"), shades)
    run("index", "build", slide.parent, "-o", "s.index", "--extractor", page, "--workers", 1)

    x, y, width, height = PIECES[0]
    patch = cv2.resize(glass()[y + 150 : y + 278, x + 150 : x + 278], (64, 64), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(tmp_path / "patch.png"), patch[..., ::-1])
    first = json.loads(run("search", "patch.png", "-i", "s.index", "--json").stdout)["hits"][0]
    assert first["path"] == str(slide)
    left, top, across, down = first["box"]
    assert x - across < left < x + width
    assert y - down < top < y + height

    found = json.loads(run("search", slide, "-i", "s.index", "--json").stdout)["hits"]
    assert found[0]["path"] == str(slide)
    assert found[0]["score"] == pytest.approx(1.0, abs=1e-4)
    assert found[0]["box"] is not None

    rows = f'path,roi\n"{slide}",\npatch.png,\n"{slide}","0,0,64,64"\n'
    (tmp_path / "queries.csv").write_text(rows, encoding="utf-8")
    batch = run("search", "--batch", "queries.csv", "-i", "s.index", "-k", 1, expect=3)
    lines = list(csv.DictReader(io.StringIO(batch.stdout)))
    assert [(line["query_row"], line["path"]) for line in lines] == [("1", str(slide)), ("2", str(slide))]
    assert "unsupported: a region of a whole slide" in batch.stderr
    refused = run("search", slide, "--roi", "0,0,64,64", "-i", "s.index", expect=2)
    assert "--roi is of images" in refused.stderr
    assert run("index", "duplicates", "-i", "s.index").stdout == ""


def test_a_slide_for_an_extractor_without_slides_is_said_with_what_to_add(run, tiny_model, make_slide):
    slide = make_slide()
    cv2.imwrite(str(slide.parent / "other.png"), np.tile(np.arange(64, dtype=np.uint8)[:, None], (1, 64)))
    words = ("index", "build", slide.parent, "-o", "plain.index", "--extractor", tiny_model / "tiny.toml")
    run(*words, "--workers", 1, expect=3)
    result = run("search", slide, "-i", "plain.index", expect=1)
    assert "[slides] magnification = 20, tile_px = 256" in " ".join(result.output.split())
