"""`cbir search IMAGE --rerank`: the image is decoded once, for the extractor and the classifier."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest

from classifiers.classifier import open_classifier
from classifiers.predicting import classify_files
from indexer import Index

HEAVY = (
    "torch",
    "torchvision",
    "timm",
    "faiss",
    "openvino",
    "pydicom",
    "cv2",
    "onnx",
    "scipy",
    "sklearn",
    "pandas",
)
COLD = """
import atexit, sys
names, *words = sys.argv[1:]
atexit.register(lambda: print(*(each for each in names.split(",") if each in sys.modules), file=sys.stderr))
from cli.app import app
app(words, prog_name="cbir")
"""


@pytest.fixture
def attached(run, index, classifier_run):
    run("classify", "attach", classifier_run, "-i", index, "--label", "density")
    return index


@pytest.fixture
def picture(tmp_path):
    """One that is in no index."""
    path = tmp_path / "query.png"
    cv2.imwrite(str(path), (np.random.default_rng(9).random((100, 120)) * 200).astype(np.uint8))
    return path


def found(run, index, *words):
    return json.loads(run("search", *words, "-i", index, "--json").stdout)


def test_an_image_has_the_posterior_that_the_classifier_gives_its_file(
    run, attached, classifier_run, picture
):
    document = found(run, attached, picture, "--rerank", "dal-hybrid", "-k", 5)
    [expected] = classify_files(open_classifier(classifier_run), [str(picture)]).posteriors.tolist()
    said = document["rerank"]["posterior"]
    assert list(said) == ["F", "G", "D"]
    assert list(said.values()) == pytest.approx(expected, abs=1e-5)
    assert len(document["hits"]) == 5
    for hit in document["hits"]:
        assert hit["score"] == pytest.approx((hit["cosine"] + hit["agreement"]) / 2, abs=1e-6)
    plain = {hit["id"]: hit["score"] for hit in found(run, attached, picture, "-k", 12)["hits"]}
    assert {hit["id"]: hit["cosine"] for hit in document["hits"]} == pytest.approx(
        {hit["id"]: plain[hit["id"]] for hit in document["hits"]}, abs=1e-6
    )


def test_an_items_file_and_the_item_find_the_same(run, attached, images):
    words = ("--rerank", "dal-hybrid", "-k", 12)
    by_file = found(run, attached, images / "03.png", *words)
    item_id = next(hit["id"] for hit in by_file["hits"] if hit["path"].endswith("03.png"))
    by_item = found(run, attached, item_id, *words)
    assert list(by_item["rerank"]["posterior"].values()) == pytest.approx(
        list(by_file["rerank"]["posterior"].values()), abs=1e-5
    )
    others = [hit["id"] for hit in by_file["hits"] if hit["id"] != item_id]
    assert [hit["id"] for hit in by_item["hits"]] == others


def test_the_image_is_decoded_once(run, attached, picture, monkeypatch):
    from cbir.images.pool import DecodePool

    decoded = []
    original = DecodePool.decode
    monkeypatch.setattr(
        DecodePool, "decode", lambda self, *a, **k: decoded.append(1) or original(self, *a, **k)
    )
    found(run, attached, picture, "--rerank", "dal-hybrid")
    assert len(decoded) == 1


def test_where_the_two_read_files_differently_it_is_decoded_for_each(
    run, attached, picture, monkeypatch, classifier_run
):
    from cbir.images.settings import ReadSpec
    from classifiers import folder

    once = found(run, attached, picture, "--rerank", "dal-hybrid")["rerank"]["posterior"]
    original = folder.read_spec
    monkeypatch.setattr(folder, "read_spec", lambda at: replace(original(at), read=ReadSpec(voi="full")))
    twice = found(run, attached, picture, "--rerank", "dal-hybrid")["rerank"]["posterior"]
    assert twice == pytest.approx(once, abs=1e-6)  # of a PNG, both ways give the same


def test_a_region_is_what_the_classifier_sees_too(run, attached, picture):
    words = ("--rerank", "dal-hybrid")
    whole = found(run, attached, picture, *words)["rerank"]["posterior"]
    part = found(run, attached, picture, *words, "--roi", "0,0,40,40")["rerank"]["posterior"]
    cropped = picture.with_name("part.png")
    cv2.imwrite(str(cropped), cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)[:40, :40])
    assert part == pytest.approx(found(run, attached, cropped, *words)["rerank"]["posterior"], abs=1e-5)
    assert part != pytest.approx(whole, abs=1e-5)


def test_views_of_the_extractor_are_no_matter_to_the_classifier(run, attached, picture):
    words = (picture, "--rerank", "dal-hybrid")
    five = found(run, attached, *words, "--tta")["rerank"]["posterior"]
    assert five == pytest.approx(found(run, attached, *words)["rerank"]["posterior"], abs=1e-6)


def test_a_cold_search_with_a_reranker_loads_no_torch(attached, picture):
    words = ["search", str(picture), "-i", str(attached), "--json", "--rerank", "dal-hybrid"]
    command = [sys.executable, "-c", COLD, ",".join(HEAVY), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == ""
    assert json.loads(done.stdout)["rerank"]["by"] == "dal-hybrid"


def test_an_extractor_in_tiles_leaves_the_whole_image_to_the_classifier(attached):
    from cbir.extractors.spec import TileSpec
    from cbir.images.tiles import TileGrid
    from cli.query_classifier import QueryClassifier

    with Index.open(attached) as index:
        classifier = QueryClassifier.of(index, "dal-hybrid")
        assert classifier.plans(index.spec)
        assert classifier.plans(replace(index.spec, tiles=TileSpec(TileGrid(2)))) == ()
