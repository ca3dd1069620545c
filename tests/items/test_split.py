"""Splits: whole groups, near the shares, the same again from the same seed."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbir.errors import ItemsError
from cbir.items.split import leave_one_group_out, split_by_group, split_hash, strata

GRADES = st.dictionaries(st.text(max_size=4), st.integers(1, 5).map(str), min_size=1, max_size=120)
SHARES = st.lists(st.integers(1, 80), min_size=2, max_size=4)


def graded(groups):
    return strata(groups.items())


@given(GRADES, SHARES, st.integers(0, 5))
def test_every_group_is_in_one_split_and_shares_are_near(groups, shares, seed):
    split = split_by_group(graded(groups), shares, seed=seed)
    assert split.keys() == groups.keys()
    counts = Counter(split.values())
    names = {2: ("train", "test"), 3: ("train", "val", "test")}.get(
        len(shares), ("part1", "part2", "part3", "part4")
    )
    for name, share in zip(names, shares, strict=True):
        assert abs(counts[name] - share / sum(shares) * len(groups)) < 2


@given(GRADES, st.integers(0, 5))
def test_every_grade_is_shared_out_like_the_whole(groups, seed):
    split = split_by_group(graded(groups), (50, 20, 30), seed=seed)
    for grade in set(groups.values()):
        alike = [group for group in groups if groups[group] == grade]
        counts = Counter(split[group] for group in alike)
        for name, share in (("train", 0.5), ("val", 0.2), ("test", 0.3)):
            assert abs(counts[name] - share * len(alike)) <= 3


@given(GRADES, SHARES, st.randoms(use_true_random=False))
def test_the_order_of_the_items_changes_nothing(groups, shares, random):
    shuffled = list(groups.items())
    random.shuffle(shuffled)
    assert split_by_group(strata(shuffled), shares) == split_by_group(graded(groups), shares)


def test_another_seed_is_another_split():
    stratum = graded({f"p{i}": str(i % 3) for i in range(60)})
    splits = [split_by_group(stratum, (50, 20, 30), seed=seed) for seed in range(5)]
    assert all(one != other for one, other in itertools.combinations(splits, 2))


def test_a_split_is_the_same_on_every_machine():
    split = split_by_group(graded({f"p{i}": str(1 + i % 3) for i in range(12)}), (50, 20, 30), seed=0)
    assert split_hash(split) == "0686b524cb795c628b78b277b70cecdff43de72ed920dc84ba8c0161e1a90d4e"


@pytest.mark.parametrize(
    ("n_groups", "sizes"),
    [(1, {"train": 1}), (2, {"train": 1, "test": 1}), (3, {"train": 1, "val": 1, "test": 1})],
)
def test_a_handful_of_groups_is_dealt_to_the_largest_shares_first(n_groups, sizes):
    split = split_by_group(graded({f"p{i}": "1" for i in range(n_groups)}), (50, 20, 30))
    assert Counter(split.values()) == sizes


def test_no_groups_give_no_split():
    assert split_by_group({}, (50, 50)) == {}


@pytest.mark.parametrize("shares", [(), (100,), (50, 0), (50, -1, 51), (50, float("nan")), (1, float("inf"))])
def test_shares_that_make_no_sense_are_refused(shares):
    with pytest.raises(ItemsError, match="two or more positive numbers"):
        split_by_group({"p": (1, "")}, shares)


def test_a_group_counts_by_its_highest_grade_and_10_is_higher_than_9():
    found = strata([("a", "1"), ("a", "10"), ("b", "9"), ("c", None), ("d", "1")])
    assert sorted(found, key=found.__getitem__) == ["c", "d", "b", "a"]
    assert found["c"] < found["d"]


def test_labels_without_an_order_make_a_stratum_of_each_set():
    found = strata(
        [
            ("a", "benign"),
            ("a", "malignant"),
            ("b", "malignant"),
            ("b", "benign"),
            ("c", "benign"),
            ("d", None),
        ]
    )
    assert found["a"] == found["b"] != found["c"]
    assert found["d"] == (0, "")


def test_leave_one_out_gives_each_group_a_fold_in_the_order_of_the_names():
    assert leave_one_group_out(["p2", "p1", "p2", "p10"]) == {
        "p1": "fold001",
        "p10": "fold002",
        "p2": "fold003",
    }
    assert len(set(leave_one_group_out(map(str, range(1500))).values())) == 1500
    assert leave_one_group_out(map(str, range(1500)))["0"] == "fold0001"


def test_the_hash_is_that_of_the_sorted_pairs():
    expected = hashlib.sha256(b"a\0test\0b\0train\0").hexdigest()
    assert split_hash({"b": "train", "a": "test"}) == expected
    assert split_hash({"b": "train"}) != expected


def test_groups_that_are_no_utf_8_are_hashed_too():
    assert split_by_group({"caf\udce9": (1, "")}, (1, 1)) == {"caf\udce9": "train"}
    assert len(split_hash({"caf\udce9": "train"})) == 64
