"""Audits: what stands on both sides of a split is found and named; what does not is not."""

from __future__ import annotations

import csv
import json
import shutil

import cv2
import numpy as np
import pytest

from cbir.items import read_table
from cbir.items.audit import Audited, find_leaks, hash_of_split
from cbir.items.phash import N_BITS, NEAR_BITS, TURNS, perceptual_hash, turned_hashes
from cbir.items.split import split_hash

RNG = np.random.default_rng(3)


def texture(seed=0, side=160):
    coarse = np.random.default_rng(seed).integers(0, 256, (20, 20), dtype=np.uint8)
    return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)


def bits(first, second):
    return (int.from_bytes(first, "big") ^ int.from_bytes(second, "big")).bit_count()


@pytest.mark.parametrize(
    "change",
    [
        lambda a: cv2.resize(a, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
        lambda a: cv2.imdecode(cv2.imencode(".jpg", a, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], 0),
        lambda a: (a // 2 + 40).astype(np.uint8),
        lambda a: np.dstack([a, a, a]),
    ],
)
def test_the_same_picture_hashes_nearly_the_same(change):
    picture = texture()
    assert bits(perceptual_hash(picture), perceptual_hash(change(picture))) <= NEAR_BITS


def test_another_picture_hashes_to_other_bits_and_a_flat_one_to_none():
    assert bits(perceptual_hash(texture(1)), perceptual_hash(texture(2))) > 2 * NEAR_BITS
    assert len(perceptual_hash(texture())) * 8 == N_BITS
    assert perceptual_hash(np.full((40, 30), 7, dtype=np.uint8)) is None


TURNED = {
    "as it is": lambda a: a,
    "upside down": lambda a: a[::-1],
    "mirrored": lambda a: a[:, ::-1],
    "turned by 180°": lambda a: a[::-1, ::-1],
    "mirrored and turned by 90° left": lambda a: np.rot90(a[:, ::-1]),
    "turned by 90° left": np.rot90,
    "turned by 90° right": lambda a: np.rot90(a, -1),
    "mirrored and turned by 90° right": lambda a: np.rot90(a[:, ::-1], -1),
}


@pytest.mark.parametrize("turn", TURNED)
def test_a_turned_or_mirrored_copy_is_found_and_how_it_was_turned_is_said(turn):
    picture = texture(5)
    copy = cv2.imdecode(cv2.imencode(".jpg", np.ascontiguousarray(TURNED[turn](picture)))[1], 0)
    one, other = turned_hashes(picture), turned_hashes(copy)
    items = [Audited("a", "train", phash=one[0], turned=one), Audited("b", "test", phash=other[0])]
    (leak,) = find_leaks(items)
    assert leak.shared.endswith("differ" if turn == "as it is" else f"differ, {turn}")


def test_the_turns_are_hashed_in_the_order_of_their_names_and_the_first_is_the_plain_hash():
    picture = texture(6)
    for turn, hashed in zip(TURNS, turned_hashes(picture), strict=True):
        assert bits(hashed, perceptual_hash(np.ascontiguousarray(TURNED[turn](picture)))) <= 6
    assert turned_hashes(picture)[0] == perceptual_hash(picture)
    assert turned_hashes(np.zeros((9, 9), np.uint8)) == ()


def test_a_picture_that_looks_the_same_in_several_turns_is_told_once_with_the_nearest():
    quarter = texture(7, side=80)
    half = np.hstack([quarter, quarter[:, ::-1]])
    hashes = turned_hashes(np.vstack([half, half[::-1]]))
    items = [Audited(name, name, phash=hashes[0], turned=hashes) for name in "ab"]
    (leak,) = find_leaks(items)
    assert leak.shared == "0 of 576 bits differ"


def test_the_breasts_of_two_women_are_not_taken_for_mirrored_copies(mini_mias):
    items = []
    for path in sorted((mini_mias / "images").glob("*.png"))[:60]:
        hashes = turned_hashes(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
        side = "L" if int(path.stem[3:]) % 2 == 0 else "R"
        items.append(Audited(path.name, side, None, None, hashes[0], hashes))
    assert find_leaks(items) == []


def test_what_crosses_is_told_once_a_pair_of_splits_and_what_does_not_is_not_told():
    one, other = perceptual_hash(texture(1)), perceptual_hash(texture(2))
    items = [
        Audited("a", "train", "p1", "aa", one),
        Audited("b", "train", "p1", "bb", other),
        Audited("c", "test", "p1", "cc", None),
        Audited("d", "test", "p1", "aa", one),
        Audited("e", "test", "p2", "ee", other),
        Audited("f", "val", None, None, None),
        Audited("g", "test", None, None, None),
    ]
    told = [(leak.kind, leak.first.path, leak.second.path) for leak in find_leaks(items)]
    assert told == [("group", "a", "c"), ("file", "a", "d"), ("picture", "b", "e")]


def test_pictures_are_compared_up_to_the_number_of_bits_asked_for():
    items = [Audited("a", "x", phash=b"\0" * 72), Audited("b", "y", phash=b"\x01" + b"\0" * 70 + b"\x03")]
    assert find_leaks(items, near_bits=2) == []
    (leak,) = find_leaks(items, near_bits=3)
    assert leak.shared == "3 of 576 bits differ"


def test_blocks_of_many_pictures_are_compared_whole():
    base = [RNG.bytes(72) for _ in range(600)]
    items = [Audited(f"a{i}", "x", phash=each) for i, each in enumerate(base)]
    items += [Audited(f"b{i}", "y", phash=base[i]) for i in (0, 255, 256, 599)]
    found = {(leak.first.path, leak.second.path) for leak in find_leaks(items)}
    assert found == {("a0", "b0"), ("a255", "b255"), ("a256", "b256"), ("a599", "b599")}


def test_the_hash_is_that_of_the_split_and_there_is_none_for_a_split_through_a_group():
    items = [Audited("a", "train", "p1"), Audited("b", "train", "p1"), Audited("c", "test")]
    assert hash_of_split(items) == split_hash({"p1": "train", "c": "test"})
    assert hash_of_split([*items, Audited("d", "test", "p1")]) is None


def test_a_grouped_split_of_mini_mias_is_clean_and_says_its_hash(mini_mias, tmp_path, cbir, items_file):
    with (mini_mias / "labels.csv").open(encoding="utf-8") as file:
        rows = [row | {"path": str(mini_mias / row["path"])} for row in csv.DictReader(file)]
    items = items_file(tmp_path / "items.csv", rows)
    cbir("items", "split", items, "-o", tmp_path / "split.csv", "--label", "severity")
    split = read_table(str(tmp_path / "split.csv")).rows
    counts = {name: sum(row.metadata["split"] == name for row in split) for name in ("train", "val", "test")}
    assert len(split) == 322
    assert abs(counts["train"] - 161) <= 4
    assert abs(counts["test"] - 97) <= 4
    result = cbir("items", "audit", tmp_path / "split.csv")
    assert result.stdout == ""
    assert f"no leak; split {split[0].metadata['split_hash']}" in result.stderr


def test_an_image_wise_split_of_mini_mias_leaks_its_patients(mini_mias, tmp_path, cbir, items_file):
    with (mini_mias / "labels.csv").open(encoding="utf-8") as file:
        rows = [row | {"path": str(mini_mias / row["path"])} for row in csv.DictReader(file)][:12]
    items = items_file(
        tmp_path / "items.csv", [row | {"split": ("train", "test")[i % 2]} for i, row in enumerate(rows)]
    )
    result = cbir("items", "audit", items, expect=1)
    assert "LEAK: the same patient 6" in result.stderr
    for each in ("mias001", "mdb001.png", "mdb002.png"):
        assert each in result.stdout.splitlines()[1]


@pytest.fixture
def copies(tmp_path, items_file):
    """A picture twice as a file, once more as JPEG; a text; an image without structure; one in no split."""
    cv2.imwrite(str(tmp_path / "one.png"), texture(1))
    cv2.imwrite(str(tmp_path / "again.jpg"), texture(1))
    cv2.imwrite(str(tmp_path / "two.png"), texture(2))
    cv2.imwrite(str(tmp_path / "flat.png"), np.zeros((30, 30), np.uint8))
    shutil.copy(tmp_path / "one.png", tmp_path / "copy é.png")
    (tmp_path / "text.png").write_text("no image")
    names = (
        "one.png",
        "again.jpg",
        "copy é.png",
        "two.png",
        "flat.png",
        "text.png",
        "gone.png",
        "outside.png",
    )
    splits = ("train", "test", "test", "train", "train", "test", "test", "")
    return items_file(
        tmp_path / "items.csv",
        [
            {"path": name, "group": f"p{i}", "split": split}
            for i, (name, split) in enumerate(zip(names, splits, strict=True))
        ],
    )


def test_copies_of_a_file_and_of_a_picture_are_leaks_and_what_was_not_looked_at_is_said(copies, cbir):
    document = json.loads(cbir("items", "audit", copies, "--json", expect=1).stdout)
    told = [
        (leak["kind"], *(side["path"].rsplit("/")[-1] for side in leak["between"]))
        for leak in document["leaks"]
    ]
    assert told == [("file", "one.png", "copy é.png"), ("picture", "one.png", "again.jpg")]
    assert document["images"] == {"train": 3, "test": 4}
    assert document["unread"] == {"not_an_image": 1, "vanished": 1}
    assert (document["outside"], document["without_structure"], document["clean"]) == (1, 1, False)


def test_how_alike_one_picture_is_can_be_set(copies, cbir):
    document = json.loads(cbir("items", "audit", copies, "--json", "--near-bits", 576, expect=1).stdout)
    assert {leak["kind"] for leak in document["leaks"]} == {"file", "picture"}
    assert len(document["leaks"]) == 4  # two pictures on one side, two on the other, one pair the same file


def test_files_that_can_t_be_read_are_no_clean_audit(tmp_path, cbir, items_file):
    items = items_file(tmp_path / "items.csv", [{"path": "gone.png", "group": "p", "split": "test"}])
    result = cbir("items", "audit", items, expect=3)
    assert "1 files could not be looked at: vanished 1" in result.stderr
    assert "no leak" not in result.stderr


def test_a_split_that_was_changed_after_it_was_made_is_not_the_one_its_hash_names(tmp_path, cbir, items_file):
    rows = [{"path": f"{i}.png", "group": f"p{i}", "label": "1"} for i in range(8)]
    items = items_file(tmp_path / "items.csv", rows)
    cbir("items", "split", items, "-o", tmp_path / "split.csv")
    text = (tmp_path / "split.csv").read_text()
    assert (
        "not the one that its hash names"
        not in cbir("items", "audit", tmp_path / "split.csv", expect=3).stderr
    )
    (tmp_path / "split.csv").write_text(text.replace(",val,", ",train,"))
    assert (
        "not the one that its hash names" in cbir("items", "audit", tmp_path / "split.csv", expect=3).stderr
    )


def test_an_items_file_without_a_split_says_what_to_do(tmp_path, cbir, items_file):
    items = items_file(tmp_path / "items.csv", [{"path": "a.png", "age": "3"}])
    assert (
        "no column 'split'; beside path, label and group it has age"
        in cbir("items", "audit", items, expect=1).stderr
    )
