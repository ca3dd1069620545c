"""Items files: what they say is taken exactly, what they lack is said in one line."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cbir.errors import ItemsError, SkipReason
from cbir.items import Found, find_items, read_table


@pytest.fixture
def table(tmp_path):
    def write(content, name="items.csv", **columns):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(str(tmp_path / name), **columns).rows

    return write


def test_paths_are_relative_to_the_file_and_other_columns_are_metadata(table, tmp_path):
    rows = table("path,label,group,age,view\na/1.png,benign,p1,50,CC\n/abs/2.png,,,,\n")
    assert rows == (
        Found(str(tmp_path / "a/1.png"), "benign", "p1", {"age": 50, "view": "CC"}),
        Found("/abs/2.png", None, None, {"age": None, "view": None}),
    )


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "-2", ""], [1, -2, None]),
        (["1", "2.5", " 3 "], [1.0, 2.5, 3.0]),
        (["1e3", ".5", "5.", "-1.5E-2"], [1000.0, 0.5, 5.0, -0.015]),
        (["true", "False", ""], [True, False, None]),
        (["true", "1"], ["true", "1"]),
        (["007", "1"], ["007", "1"]),
        (["1234567890123456789"], ["1234567890123456789"]),
        (["1_000", "2"], ["1_000", "2"]),
        (["nan", "1"], ["nan", "1"]),
        (["inf"], ["inf"]),
        (["1,5"], ["1,5"]),
        (["e5", "."], ["e5", "."]),
        (["4a", "4"], ["4a", "4"]),
        (["٣"], ["٣"]),
        (["", ""], [None, None]),
    ],
)
def test_a_column_has_one_type_the_narrowest_that_loses_nothing(table, cells, values):
    rows = table("path,x\n" + "".join(f'{i}.png,"{cell}"\n' for i, cell in enumerate(cells)))
    got = [row.metadata["x"] for row in rows]
    assert got == values
    assert [type(value) for value in got] == [type(value) for value in values]


def test_labels_and_groups_are_text(table):
    (row,) = table("path,label,patient_id\n1.png,3,0042\n")
    assert (row.label, row.group, dict(row.metadata)) == ("3", "0042", {})


def test_group_goes_before_patient_id_and_a_named_column_before_both(table):
    content = "path,patient_id,group,woman,grade,label\n1.png,p,g,w,2,benign\n"
    assert table(content)[0].group == "g"
    named = table(content, group_column="woman", label_column="grade")[0]
    assert (named.group, named.label) == ("w", "2")
    assert named.metadata == {"patient_id": "p", "group": "g", "label": "benign"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_spreadsheets_write_is_read(table, delimiter, newline):
    lines = [["path", "label", "note"], ["ä 1.png", "benign", '"one\nnote, ""quoted""; so"'], []]
    content = newline.join(delimiter.join(line) for line in lines)
    (row,) = table(b"\xef\xbb\xbf" + content.encode())
    assert row.path.endswith("/ä 1.png")
    assert row.label == "benign"
    assert row.metadata["note"] == 'one\nnote, "quoted"; so'


def test_a_column_without_a_name_is_called_by_its_place(table):
    assert table(",path\n0,1.png\n")[0].metadata == {"column_1": 0}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("path,label\n", "header but no rows"),
        ("file,label\n1.png,a\n", "no column 'path'; its columns are file, label"),
        ("path,path\n1.png,2.png\n", "two columns 'path'"),
        ("path,label\n1.png,a\n2.png\n", "line 3: 1 fields, the header has 2"),
        ("path,label\n1.png,a,b\n", "line 2: 3 fields, the header has 2"),
        ("path,label\n1.png,a\n,b\n", "line 3: the path is ''"),
        ("path,label\n1.png,a\n\n./1.png,b\n", "line 4: ./1.png is in line 2 already"),
        ('path,label\n"1.png"x,a\n', "line 2: "),
        ('path,label\n1.png,"a\n', "line 2: unexpected end of data"),
        (b"path,label\n1.png,a\n2.png,caf\xe9\n", "line 3: not UTF-8. Save the file as UTF-8"),
        ("path,label\n1.png,a\n".encode("utf-16"), "line 1: not UTF-8"),
        ("path\na\0b\n", "line 2: "),
        (f"path,label\n1.png,{'x' * 200_000}\n", "line 2: field larger than"),
    ],
)
def test_an_items_file_that_can_t_be_used_says_where_and_why_in_one_line(table, content, words):
    with pytest.raises(ItemsError) as caught:
        table(content)
    assert words in str(caught.value)
    assert "items.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("option", ["label", "group"])
def test_a_named_column_that_is_not_there_lists_those_that_are(table, option):
    with pytest.raises(ItemsError, match=f"no column 'grade'; its columns are path, age. Correct --{option}"):
        table("path,age\n1.png,3\n", **{f"{option}_column": "grade"})
    with pytest.raises(ItemsError, match="can't be the"):
        table("path,age\n1.png,3\n", **{f"{option}_column": "path"})


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ItemsError, match="can't be read: No such file"):
        read_table(str(tmp_path / "none.csv"))


def test_parquet_keeps_its_types(tmp_path):
    columns = {
        "path": ["1.png", "2.png"],
        "label": [3.0, None],
        "group": [7, 8],
        "age": [50, None],
        "score": [0.5, float("nan")],
        "left": [True, None],
        "code": ["007", ""],
        "day": [dt.date(2020, 1, 2), None],
    }
    pq.write_table(pa.table(columns), tmp_path / "items.parquet")
    first, second = read_table(str(tmp_path / "items.parquet")).rows
    assert first == Found(
        str(tmp_path / "1.png"), "3", "7",
        {"age": 50, "score": 0.5, "left": True, "code": "007", "day": "2020-01-02"},
    )  # fmt: skip
    assert second == Found(
        str(tmp_path / "2.png"), None, "8",
        {"age": None, "score": None, "left": None, "code": None, "day": None},
    )  # fmt: skip


def test_parquet_may_name_a_file_that_is_not_utf8(tmp_path):
    pq.write_table(pa.table({"path": pa.array([b"caf\xe9.png"], pa.binary())}), tmp_path / "items.parquet")
    assert read_table(str(tmp_path / "items.parquet")).rows[0].path == str(tmp_path / "caf\udce9.png")


@pytest.mark.parametrize("content", [b"", b"PAR1 no", b"path,label\n1.png,a\n"])
def test_what_is_no_parquet_is_an_error(table, content):
    with pytest.raises(ItemsError, match="can't be read as Parquet"):
        table(content, "items.parquet")


def test_parquet_without_rows_or_with_the_same_path_twice_is_an_error(tmp_path):
    path = tmp_path / "items.parquet"
    pq.write_table(pa.table({"path": pa.array([], pa.string())}), path)
    with pytest.raises(ItemsError, match="no rows"):
        read_table(str(path))
    pq.write_table(pa.table({"path": ["1.png", "./1.png"]}), path)
    with pytest.raises(ItemsError, match=r"row 2: \./1\.png is in row 1 already"):
        read_table(str(path))
    pq.write_table(pa.table({"path": ["1.png", None]}), path)
    with pytest.raises(ItemsError, match="row 2: the path is None"):
        read_table(str(path))


def test_the_files_that_an_items_file_names_are_looked_at(tmp_path):
    (tmp_path / "1.png").write_bytes(b"x")
    (tmp_path / "link.png").symlink_to("1.png")
    (tmp_path / "folder").mkdir()
    (tmp_path / "items.csv").write_text("path,label\nfolder,a\ngone.png,b\n1.png,c\nlink.png,d\n1.png/x,e\n")
    folder, gone, there, link, below = find_items([str(tmp_path / "items.csv")])
    assert (folder.reason, folder.detail) == (SkipReason.NOT_A_FILE, "a folder")
    assert gone.reason is SkipReason.VANISHED
    assert there == Found(str(tmp_path / "1.png"), "c")
    assert link.reason is SkipReason.SYMLINK
    assert below.reason is SkipReason.VANISHED


def test_the_real_mini_mias_table(mini_mias):
    items = list(find_items([str(mini_mias / "labels.csv")]))
    assert len(items) == 322
    assert all(isinstance(item, Found) for item in items)
    assert {item.label for item in items} == {"normal", "benign", "malignant"}
    assert len({item.group for item in items}) == 161
    first = items[0]
    assert first.path == str(mini_mias / "images" / "mdb001.png")
    assert (first.label, first.group) == ("benign", "mias001")
    assert first.metadata["density_ordinal"] == 1
    assert first.metadata["radius"] == 197
    assert items[2].metadata["radius"] is None


def test_the_real_mini_mias_labels_join_its_folder(mini_mias):
    unmatched: list[str] = []
    sources = [str(mini_mias / "images")]
    items = list(find_items(sources, labels=mini_mias / "labels.csv", on_unmatched=unmatched.append))
    assert unmatched == []
    labelled = sorted(find_items([str(mini_mias / "labels.csv")]), key=lambda item: item.path)
    assert items == labelled
