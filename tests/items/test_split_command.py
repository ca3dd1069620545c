"""`cbir items split`: what it writes, and what it refuses."""

from __future__ import annotations

import csv

import pytest

from cbir.errors import ItemsError
from cbir.items import read_table
from cbir.items.write import copy_with, write_table


def test_splitting_keeps_every_cell_and_takes_grade_before_label(tmp_path, cbir, items_file):
    rows = [
        {
            "path": f"a/{i}.png",
            "id": f"00{i}",
            "label": "benign",
            "grade": str(1 + i % 2),
            "group": f"p{i // 2}",
            "x": "",
        }
        for i in range(20)
    ]
    items = items_file(tmp_path / "items.csv", rows)
    (tmp_path / "out").mkdir()
    result = cbir(
        "items", "split", items, "-o", tmp_path / "out" / "split.csv", "--shares", "60,40", "--seed", "7"
    )
    assert result.stdout.splitlines()[0].split() == ["split", "groups", "images", "1", "2"]
    assert result.stdout.splitlines()[1].split()[:3] == ["train", "6", "(60.0"]
    with (tmp_path / "out" / "split.csv").open(encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    kept = [{key: value for key, value in row.items() if not key.startswith("split")} for row in written]
    assert kept == [row | {"path": str(tmp_path / row["path"])} for row in rows]
    assert len({row["split_hash"] for row in written}) == 1


def test_leave_one_out_writes_a_fold_a_group(tmp_path, cbir, items_file):
    items = items_file(
        tmp_path / "items.csv", [{"path": f"{i}", "patient_id": f"p{i // 2}"} for i in range(6)]
    )
    cbir("items", "split", items, "-o", tmp_path / "o.csv", "--leave-one-out", "--column", "fold")
    rows = read_table(str(tmp_path / "o.csv")).rows
    assert [row.metadata["fold"] for row in rows] == ["fold001"] * 2 + ["fold002"] * 2 + ["fold003"] * 2


def test_images_without_a_group_are_split_only_when_asked_for_by_name(tmp_path, cbir, items_file):
    items = items_file(tmp_path / "items.csv", [{"path": "a.png"}, {"path": "b.png"}])
    result = cbir("items", "split", items, "-o", tmp_path / "o.csv", expect=1)
    assert "2 of 2 images have no group" in result.stderr
    cbir("items", "split", items, "-o", tmp_path / "o.csv", "--alone", "--shares", "1,1")
    rows = read_table(str(tmp_path / "o.csv")).rows
    assert {row.metadata["split"] for row in rows} == {"train", "test"}
    audit = cbir("items", "audit", tmp_path / "o.csv", expect=3)
    assert "2 images have no group" in audit.stderr
    assert "not the one that its hash names" not in audit.stderr


def test_a_split_of_images_alone_does_not_depend_on_where_they_lie(tmp_path, cbir, items_file):
    hashes = set()
    for name in ("here", "there/deeper"):
        (tmp_path / name).mkdir(parents=True)
        items = items_file(tmp_path / name / "items.csv", [{"path": f"x/{i}.png"} for i in range(9)])
        cbir("items", "split", items, "-o", tmp_path / name / "o.csv", "--alone")
        hashes |= {row.metadata["split_hash"] for row in read_table(str(tmp_path / name / "o.csv")).rows}
    assert len(hashes) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        (("--shares", "a,b"), 2, "--shares is 'a,b'"),
        (("--shares", "100"), 1, "two or more positive numbers"),
        (("--column", "group"), 1, "has a column 'group' already"),
        (("--label", "nope"), 1, "no column 'nope'"),
    ],
)
def test_a_split_that_can_t_be_made_says_why_and_writes_nothing(tmp_path, cbir, items_file, wrong):
    words, expect, said = wrong
    items = items_file(tmp_path / "items.csv", [{"path": "a.png", "group": "p"}])
    assert said in cbir("items", "split", items, "-o", tmp_path / "o.csv", *words, expect=expect).stderr
    assert not (tmp_path / "o.csv").exists()


def test_an_items_file_is_never_written_over_one_that_is_there(tmp_path):
    write_table(tmp_path / "a.csv", {"path": ["x.png", "ä,\n.png"], "n": [1, None]})
    assert [row.path for row in read_table(str(tmp_path / "a.csv")).rows] == [
        str(tmp_path / "x.png"),
        str(tmp_path / "ä,\n.png"),
    ]
    for path, words in (
        ("a.csv", "there already"),
        ("a.txt", r"ends in \.csv"),
        ("no/a.csv", "can't be written"),
    ):
        with pytest.raises(ItemsError, match=words):
            write_table(tmp_path / path, {"path": ["x"]})
    with pytest.raises(ItemsError, match="not UTF-8"):
        write_table(tmp_path / "b.csv", {"path": ["caf\udce9.png"]})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv"]


def test_a_parquet_file_is_split_too(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"path": ["a.png", "b.png"], "group": ["p", "q"], "x": [1.5, float("nan")]})
    pq.write_table(table, tmp_path / "items.parquet")
    copy_with(str(tmp_path / "items.parquet"), tmp_path / "o.csv", {"split": ["train", "test"]})
    rows = read_table(str(tmp_path / "o.csv")).rows
    assert [(row.group, row.metadata) for row in rows] == [
        ("p", {"x": 1.5, "split": "train"}),
        ("q", {"x": None, "split": "test"}),
    ]
