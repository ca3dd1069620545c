"""What can be asked beside a whole image: a region, and what items say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image


def answer(result) -> dict:
    return json.loads(result.stdout)


def ids(result) -> list[str]:
    return [hit["id"] for hit in answer(result)["hits"]]


@pytest.fixture
def crop(gallery, tmp_path):
    Image.open(gallery / "two.png").crop((16, 8, 80, 72)).save(tmp_path / "crop.png")
    return tmp_path / "crop.png"


def test_a_region_finds_what_a_file_of_that_region_would(run, index, gallery, crop):
    region = run("search", gallery / "two.png", "--roi", "16,8,64,64", "-i", index, "--json")
    alone = run("search", crop, "-i", index, "--json")
    assert ids(region) == ids(alone)
    np.testing.assert_allclose(
        [hit["score"] for hit in answer(region)["hits"]], [hit["score"] for hit in answer(alone)["hits"]],
        atol=1e-6,
    )  # fmt: skip
    assert answer(region)["query"]["roi"] == [16, 8, 64, 64]
    assert answer(region)["query"]["notes"] == ["region 16,8,64,64 of 96 x 80 pixels"]
    assert answer(alone)["query"]["roi"] is None


def test_the_page_shows_the_region_and_says_which(run, index, gallery, tmp_path):
    run("search", gallery / "two.png", "--roi", "16,8,64,64", "-i", index, "--html", "hits.html")
    assert "Asked for: region 16,8,64,64." in (tmp_path / "hits.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("roi", "said"),
    [
        ("50,0,47,10", "the image of 96 x 80 pixels"),
        ("-1,0,5,5", "the image of 96 x 80 pixels"),
        ("0,0,0,5", "is empty"),
        ("0,0,5", "not four whole numbers"),
        ("nan,0,5,5", "not four whole numbers"),
    ],
)
def test_a_region_that_makes_no_sense_is_a_usage_error(run, index, gallery, roi, said):
    result = run("search", gallery / "two.png", "--roi", roi, "-i", index, expect=2)
    assert said in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_an_item_has_no_pixels_to_cut_a_region_from(run, index, gallery):
    (first,) = ids(run("search", gallery / "two.png", "-i", index, "--json", "-k", 1))
    result = run("search", first, "--roi", "0,0,5,5", "-i", index, expect=2)
    assert str(gallery / "two.png") in result.stderr


def test_liked_and_unliked_items_move_the_query_and_are_no_hits(run, index, gallery):
    words = ("search", gallery / "two.png", "-i", index, "--json")
    best, *_, last = ids(run(*words))
    result = run(*words, "--like", last, "--unlike", best)
    assert answer(result)["query"]["like"] == [last]
    assert answer(result)["query"]["unlike"] == [best]
    assert len(ids(result)) == 6
    assert {best, last}.isdisjoint(ids(result))


def test_items_alone_can_be_asked_with(run, index, gallery):
    first, second, third = ids(run("search", gallery / "one.png", "-i", index, "--json", "-k", 3))
    alone = run("search", "--like", third, "-i", index, "--json")
    assert ids(alone) == ids(run("search", third, "-i", index, "--json"))
    result = run("search", "--like", first, "--like", second, "-i", index, "--html", "hits.html")
    assert "more like" in result.stderr
    assert answer(run("search", "--like", first, "--like", second, "-i", index, "--json"))["query"][
        "text"
    ] == (f"{first}, {second}")


def test_leaving_groups_out_leaves_out_those_of_the_liked_items(run, index, gallery):
    found = answer(run("search", gallery / "three.png", "-i", index, "--json"))["hits"]
    liked = next(hit["id"] for hit in found if hit["group"] == "p1")
    words = ("--like", liked, "-i", index, "--json", "--exclude-same", "group")
    left = answer(run("search", gallery / "three.png", *words))["hits"]
    assert {"p1", "p2"}.isdisjoint(hit["group"] for hit in left)


def test_what_cant_be_moved_is_one_line(run, index, gallery):
    (best,) = ids(run("search", gallery / "two.png", "-i", index, "--json", "-k", 1))
    assert (
        "liked and unliked" in run("search", "--like", best, "--unlike", best, "-i", index, expect=1).stderr
    )
    assert "nobody is no item" in run("search", "--like", "nobody", "-i", index, expect=1).stderr
    assert "name what to search for" in " ".join(
        run("search", "--unlike", best, "-i", index, expect=2).stderr.split()
    )
