"""`cbir extractor weights` and `whiten`, from images to a search with what was fitted."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from cbir.extractors.build import resolve_extractor
from cbir.extractors.projection import Projection
from cli.app import app
from indexer.index import Index

N_IMAGES = 40
SECOND = """
[[branch]]
backbone = "timm:test_resnet"
pooling = "max"   # the largest
dim = 96
preprocess = [
    { step = "resize", height_px = 32, width_px = 32, fit = "stretch", interpolation = "area" },
    { step = "normalise", mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] },
]

[branch.weights]
source = "file:random.safetensors"
"""


@pytest.fixture(scope="module")
def place(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty images of twenty patients, a page of two branches, and the index of both."""
    folder = tmp_path_factory.mktemp("fitted")
    shutil.copy(tiny_model / "random.safetensors", folder)
    page = (tiny_model / "tiny.toml").read_text().replace('"tiny"', '"two"')
    (folder / "two.toml").write_text(page + SECOND)
    rng = np.random.default_rng(4)
    with (folder / "items.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "patient_id", "split", "one", "some"])
        for number in range(N_IMAGES):
            kind = number // 2 % 2
            coarse = rng.integers(0, 256, (4 + 8 * kind, 4 + 8 * kind), dtype=np.uint8)
            name = f"é{number}.png"
            Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC).save(folder / name)
            some = "" if number < 36 else f"s{number % 2}"
            writer.writerow([
                name, f"l{kind}", f"p{number // 2}", "val" if number < 24 else "train", "same", some
            ])  # fmt: skip
    build(folder / "items.csv", folder / "two.toml", folder / "two.index")
    return folder


def build(items: Path, page: Path, index: Path) -> None:
    words = ["index", "build", items, "-o", index, "--extractor", page, "--workers", 1]
    result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
    assert result.exit_code == 0, result.output


def vectors_of(index: Path) -> tuple[np.ndarray, list[str]]:
    with Index.open(index) as opened:
        items = sorted(opened.items(), key=lambda item: item.path)
        return np.stack([opened.query(item.id).embedding for item in items]), [item.path for item in items]


def test_an_index_whitened_is_the_index_built_with_the_page_and_no_image_is_read(run, place, tmp_path):
    fit = ("--dim", 5, "--items", "split=val")
    run(
        "extractor",
        "whiten",
        "-i",
        place / "two.index",
        "--extractor",
        place / "two.toml",
        *fit,
        "-o",
        "w.toml",
    )
    build(place / "items.csv", tmp_path / "w.toml", tmp_path / "built.index")
    said = run("index", "whiten", "-i", place / "two.index", *fit, "-o", "quick.index").stderr
    assert "192 to 5 numbers, fitted on 24 items; measure on others" in said
    built, quick = vectors_of(tmp_path / "built.index"), vectors_of(tmp_path / "quick.index")
    assert built[1] == quick[1]
    assert np.allclose(built[0], quick[0], atol=1e-6)
    with Index.open(tmp_path / "built.index") as one, Index.open(tmp_path / "quick.index") as other:
        assert one.fingerprint == other.fingerprint
        assert [item.id for item in one.items()] == [item.id for item in other.items()]
    image = place / "é3.png"
    hits = [run("search", image, "-i", f"{name}.index", "--paths").stdout for name in ("built", "quick")]
    assert hits[0] == hits[1]
    run("index", "update", "-i", "quick.index")
    run("index", "whiten", "-i", place / "two.index", *fit, "-o", "quick.index", expect=1)


def test_an_index_built_with_the_fitted_page_carries_the_projection_and_searches_with_it(
    run, place, tmp_path
):
    fit = ("extractor", "whiten", "-i", place / "two.index", "--extractor", place / "two.toml")
    said = run(*fit, "--dim", 5, "-o", "white.toml").stderr
    assert "192 to 5 numbers, fitted on 40 items" in said
    build(place / "items.csv", tmp_path / "white.toml", tmp_path / "white.index")
    projection = Projection.read(tmp_path / "white.safetensors")
    assert (tmp_path / "white.index" / "model" / "projection.safetensors").is_file()
    fused, paths = vectors_of(place / "two.index")
    found, again = vectors_of(tmp_path / "white.index")
    wanted = projection.apply(fused)
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    assert paths == again
    assert found.shape == (N_IMAGES, 5)
    assert np.allclose(found, wanted, atol=1e-4)
    # Where the CPU has bf16, the build computes in it, and a search for a file does not.
    hits = json.loads(run("search", place / "é3.png", "-i", "white.index", "--json", "-k", 1).stdout)
    assert hits["hits"][0]["score"] == pytest.approx(1.0, abs=1e-3)
    assert Path(hits["hits"][0]["path"]).name == "é3.png"
    run("index", "verify", "-i", "white.index")
    refused = run(
        *fit[:3], tmp_path / "white.index", "-o", "more.toml", "--extractor", "white.toml", expect=1
    )
    assert "projected to 5 of 192 numbers" in refused.stderr


def test_the_page_of_learned_weights_is_the_old_one_with_its_comments_and_the_weights(run, place):
    words = ("extractor", "weights", "-i", place / "two.index", "--items", "split=val")
    for method in ("score", "l2"):
        said = run(*words, "--extractor", place / "two.toml", "--method", method, "-o", f"{method}.toml")
        assert said.stdout.splitlines()[0].split() == ["branch", "weight", "of", "other", "parts"]
        assert "macro P@10 of 24 queries" in said.stderr
        assert "learned on 24 items" in said.stderr
    page = Path("score.toml").read_text(encoding="utf-8")
    with Index.open(place / "two.index") as index:
        assert index.fingerprint in page
    assert "# Made by cbir" in page
    assert "--items split=val" in page
    assert "# the largest" in page
    score, l2 = (resolve_extractor(Path(f"{name}.toml")).spec for name in ("score", "l2"))
    old = resolve_extractor(place / "two.toml").spec
    assert score.branches == old.branches
    assert (score.name, score.fusion.method) == ("score", "score")
    assert np.allclose(np.square(l2.fusion.weights), score.fusion.weights, atol=1e-5)


def test_whitening_by_label_has_one_direction_less_than_labels(run, place):
    words = ("extractor", "whiten", "-i", place / "two.index", "--items", "split=train", "--label", "label")
    said = run(*words, "--extractor", place / "two.toml", "-o", "lda.toml", "--shrinkage", "0.2").stderr
    assert "192 to 1 numbers, fitted on 16 items" in said
    assert "--shrinkage 0.2 --label label" in Path("lda.toml").read_text(encoding="utf-8")
    first = Path("lda.safetensors").read_bytes()
    run(*words, "--extractor", place / "two.toml", "-o", "again.toml", "--shrinkage", "0.2")
    assert Path("again.safetensors").read_bytes() == first


def test_items_without_a_label_are_left_out_and_counted(run, place):
    words = ("extractor", "whiten", "-i", place / "two.index", "--extractor", place / "two.toml")
    assert "4 rows" in run(*words, "--label", "some", "-o", "a.toml", expect=1).stderr
    assert not Path("a.toml").exists()


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (("weights", "--label", "one"), 1, "40 have a one, of 1 different values"),
        (("weights", "--label", "some", "--items", "split=val"), 1, "24 items with split=val 0 have a some"),
        (("weights", "--label", "lable"), 2, "did you mean label?"),
        (("weights", "--items", "split=dev"), 1, "split is one of train, val"),
        (("whiten", "--dim", "10"), 1, "dim is 10, and there are 40 rows"),
        (("whiten", "--dim", "4", "--items", "split=train"), 1, "at most 3"),
        (("whiten", "--shrinkage", "2"), 1, "Shrinkage is 2.0"),
        (("whiten", "--shrinkage", "much"), 2, "Give auto, or a number"),
        (("whiten", "-o", "page.txt"), 1, "ends in .toml"),
        (("whiten", "-o", "there.toml"), 1, "there.safetensors is there already"),
        (("whiten", "-o", "none/page.toml"), 1, "no folder none"),
    ],
)
def test_what_makes_no_sense_is_one_line(run, place, words, code, problem):
    Path("there.safetensors").write_bytes(b"mine")
    command, *rest = words
    given = ["-i", place / "two.index", "--extractor", place / "two.toml", "-o", "page.toml"]
    result = run("extractor", command, *given, *rest, expect=code)
    assert problem in " ".join(result.stderr.replace("│", " ").split())
    assert not Path("page.toml").exists()
    assert Path("there.safetensors").read_bytes() == b"mine"


def test_another_page_than_the_indexs_is_refused(run, place, index, tiny_model):
    words = ("extractor", "whiten", "-i", place / "two.index", "-o", "page.toml")
    assert "built with two" in run(*words, "--extractor", tiny_model / "tiny.toml", expect=5).stderr
    assert "which is no preset" in run(*words, expect=2).stderr
    one = ("extractor", "weights", "-i", index, "-o", "page.toml", "--extractor", tiny_model / "tiny.toml")
    assert "has 1 branch" in run(*one, expect=1).stderr
