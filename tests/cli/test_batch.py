"""Many queries at once: the hits that each gives alone, and every query accounted for."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest


def write(path: Path, columns: list[str], rows: list[list[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def hits_of(run, index, *words: object) -> list[dict]:
    return json.loads(run("search", *words, "-i", index, "--json").stdout)["hits"]


def read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8", "surrogateescape"))))


def test_each_query_of_a_batch_finds_what_it_finds_alone(run, index, gallery, tmp_path):
    one = hits_of(run, index, gallery / "one.png", "-k", 1)[0]["id"]
    queries = write(
        tmp_path / "queries.csv",
        ["path", "id", "roi"],
        [
            [gallery / "two.png", "", ""],
            ["", one, ""],
            [os.path.relpath(gallery / "two.png", tmp_path), "", "16,8,64,64"],
            [gallery / "three.png", "", ""],
        ],
    )
    result = run("search", "--batch", queries, "-k", 4, "-i", index, "-o", "hits.csv", "--workers", 2)
    rows = read(Path("hits.csv").read_bytes())
    assert "4 queries" in result.stderr
    assert result.stdout == ""
    assert not Path("hits.csv.skipped.jsonl").exists()
    alone = [
        hits_of(run, index, gallery / "two.png", "-k", 4),
        hits_of(run, index, one, "-k", 4),
        hits_of(run, index, gallery / "two.png", "--roi", "16,8,64,64", "-k", 4),
        hits_of(run, index, gallery / "three.png", "-k", 4),
    ]
    assert [(row["query_row"], row["rank"], row["id"], row["path"]) for row in rows] == [
        (str(number), str(hit["rank"]), hit["id"], hit["path"])
        for number, hits in enumerate(alone, start=1)
        for hit in hits
    ]
    scores = [hit["score"] for hits in alone for hit in hits]
    np.testing.assert_allclose([float(row["score"]) for row in rows], scores, atol=2e-6)
    assert {row["view"] for row in rows} == {"", "CC", "MLO"}
    assert [row["query"] for row in rows[4:5]] == [one]


def test_parquet_has_the_same_rows_with_types(run, index, gallery, tmp_path):
    from pyarrow import parquet

    queries = write(tmp_path / "queries.csv", ["path"], [[gallery / "two.png"], [gallery / "one.png"]])
    run("search", "--batch", queries, "-i", index, "-o", "hits.parquet")
    plain = read(run("search", "--batch", queries, "-i", index).stdout_bytes)
    table = parquet.read_table("hits.parquet")
    rows = table.to_pylist()
    assert [(row["query_row"], row["id"]) for row in rows] == [
        (int(row["query_row"]), row["id"]) for row in plain
    ]
    assert {name: str(table.schema.field(name).type) for name in ("score", "rank", "width", "view")} == {
        "score": "double", "rank": "int64", "width": "int64", "view": "string",
    }  # fmt: skip
    assert list(table.schema.names) == list(plain[0])
    assert [Path(row["path"]).name for row in rows].count(r"caf\udce9.png") == 2  # it is no UTF-8


def test_a_query_that_fails_is_told_and_the_others_are_answered(run, index, gallery, tmp_path):
    two = gallery / "two.png"
    queries = write(
        tmp_path / "queries.csv",
        ["path", "id", "roi"],
        [
            [gallery / "nowhere.png", "", ""],
            [gallery / "notes.txt", "", ""],
            [two, "", "0,0,500,5"],
            [two, "", "a"],
            ["", "nobody", ""],
            ["", "", "1,1,1,1"],
            [two, "nobody", ""],
            ["", "nobody", "0,0,1,1"],
            [gallery / "link.png", "", ""],
            [two, "", ""],
        ],
    )
    result = run("search", "--batch", queries, "-i", index, "-k", 2, "-o", "hits.csv", expect=3)
    assert [row["query_row"] for row in read(Path("hits.csv").read_bytes())] == ["10", "10"]
    lines = [json.loads(line) for line in Path("hits.csv.skipped.jsonl").read_text().splitlines()]
    assert [(line["row"], line["reason"]) for line in lines] == [
        (1, "vanished"), (2, "not_an_image"), (3, "outside"), (4, "bad_row"), (5, "unknown_item"),
        (6, "bad_row"), (7, "bad_row"), (8, "bad_row"), (9, "symlink"),
    ]  # fmt: skip
    assert "9 queries were not answered: bad_row 4" in result.stderr
    run("search", "--batch", write(tmp_path / "good.csv", ["path"], [[two]]), "-i", index, "-o", "hits.csv")
    assert not Path("hits.csv.skipped.jsonl").exists()  # it told of another run


def test_groups_are_left_out_query_by_query(run, index, gallery, tmp_path):
    queries = write(
        tmp_path / "queries.csv",
        ["path", "patient_id"],
        [[gallery / "one.png", ""], [gallery / "图像 café.png", ""], [gallery / "图像 café.png", "p3"]],
    )
    words = ("search", "--batch", queries, "-i", index, "--exclude-same", "group")
    result = run(*words, expect=3)
    rows = read(result.stdout_bytes)
    groups = {number: {row["group"] for row in rows if row["query_row"] == number} for number in "123"}
    assert groups == {"1": {"p2", "p3", ""}, "2": set(), "3": {"p1", "p2", ""}}
    assert "no_group" in result.stderr


def test_a_condition_holds_for_every_query(run, index, gallery, tmp_path):
    queries = write(tmp_path / "queries.csv", ["path"], [[gallery / "one.png"], [gallery / "two.png"]])
    rows = read(run("search", "--batch", queries, "-i", index, "--where", "view = 'MLO'").stdout_bytes)
    assert {row["query_row"] for row in rows} == {"1", "2"}
    assert {row["view"] for row in rows} == {"MLO"}


def test_what_is_no_file_of_queries_is_one_line(run, index, tmp_path):
    queries = write(tmp_path / "queries.csv", ["image"], [["a.png"]])
    result = run("search", "--batch", queries, "-i", index, expect=1)
    assert "has no column 'path' and no column 'id'; its columns are image" in result.stderr
    assert run("search", "--batch", "nowhere.csv", "-i", index, expect=1).stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("--batch", "q.csv", "img.png"), ("--batch", "q.csv", "--like", "x"), ("--batch", "q.csv", "--json"),
        ("--batch", "q.csv", "-o", "hits.txt"), ("img.png", "-o", "hits.csv"), ("--unlike", "x"), (),
    ],
)  # fmt: skip
def test_words_that_dont_go_together_are_a_usage_error(run, words):
    run("search", *words, expect=2)


def test_a_batch_that_is_interrupted_leaves_what_was_there(run, index, gallery, tmp_path, monkeypatch):
    queries = write(tmp_path / "queries.csv", ["path"], [[gallery / "two.png"]])
    Path("hits.csv").write_text("of another run")

    def interrupted(*_words: object, **_more: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.batch.find", interrupted)
    run("search", "--batch", queries, "-i", index, "-o", "hits.csv", expect=130)
    assert Path("hits.csv").read_text() == "of another run"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hits.csv", "queries.csv"]


def test_an_imported_index_is_asked_by_the_paths_and_ids_of_its_items(run, gallery, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for name in ("one.png", "two.png", "three.png"):
        shutil.copy(gallery / name, images / name)
    rows = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)
    np.save(tmp_path / "rows.npy", rows)
    items = write(
        tmp_path / "items.csv", ["path"], [[f"images/{name}.png"] for name in ("one", "two", "three")]
    )
    run("index", "import", "rows.npy", "--items", items, "--name", "made", "-o", "made.index")
    first = hits_of(run, "made.index", images / "one.png")[0]["id"]
    queries = write(
        tmp_path / "queries.csv",
        ["path", "id"],
        [["images/one.png", ""], ["", first], [gallery / "one.png", ""]],
    )
    result = run("search", "--batch", queries, "-i", "made.index", expect=3)
    found = read(result.stdout_bytes)
    assert [row["query_row"] for row in found] == ["1", "1", "2", "2"]
    assert found[0]["id"] == first
    assert "unknown_item" in result.stderr
