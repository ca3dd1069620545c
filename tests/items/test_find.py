"""Everything found is accounted for once: as a file, or with the reason why not."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbir.errors import ItemsError, SkipReason
from cbir.items import Found, Refused, Source, find_items, label_order


def write(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def relative(items, folder) -> list[str]:
    return [os.path.relpath(item.path, folder) for item in items]


def test_a_folder_gives_every_file_below_it_sorted(tmp_path):
    write(tmp_path, "b.png", "a/z.dcm", "a/.hidden", "a/b/c.txt", "B.png", "a.png", "no-suffix", "émile.png")
    items = list(find_items([str(tmp_path)]))
    assert relative(items, tmp_path) == [
        "B.png", "a/.hidden", "a/b/c.txt", "a/z.dcm", "a.png", "b.png", "no-suffix", "émile.png",
    ]  # fmt: skip
    assert items[0] == Found(str(tmp_path / "B.png"))


def test_an_empty_folder_gives_nothing(tmp_path):
    assert list(find_items([str(tmp_path)])) == []


def test_what_is_no_regular_file_is_refused_by_name_and_reason(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "real/a.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "real" / "a.png")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    server = socket.socket(socket.AF_UNIX)
    server.bind("sock")
    server.close()
    items = {os.path.relpath(item.path, tmp_path): item for item in find_items([str(tmp_path)])}
    refused = {name: item.reason for name, item in items.items() if isinstance(item, Refused)}
    assert refused == {
        "link.png": SkipReason.SYMLINK,
        "loop": SkipReason.SYMLINK,
        "dangling": SkipReason.SYMLINK,
        "pipe": SkipReason.NOT_A_FILE,
        "sock": SkipReason.NOT_A_FILE,
    }
    assert items["real/a.png"] == Found(str(tmp_path / "real" / "a.png"))
    assert items["pipe"].detail == "a FIFO"


def test_a_folder_that_may_not_be_listed_is_refused(tmp_path, monkeypatch):
    """Root may list everything, so the system's answer is injected."""
    write(tmp_path, "open/a.png", "shut/b.png", "failing/c.png")
    real_listdir = os.listdir

    def listdir(path):
        if path.endswith("shut"):
            raise PermissionError(13, "Permission denied")
        if path.endswith("failing"):
            raise OSError(5, "Input/output error")
        return real_listdir(path)

    monkeypatch.setattr(os, "listdir", listdir)
    failing, opened, shut = find_items([str(tmp_path)])
    assert failing == Refused(str(tmp_path / "failing"), SkipReason.UNREADABLE, "Input/output error")
    assert opened == Found(str(tmp_path / "open" / "a.png"))
    assert shut == Refused(str(tmp_path / "shut"), SkipReason.PERMISSION, "Permission denied")


def test_a_name_that_is_not_utf8_is_found(tmp_path):
    name = os.fsencode(tmp_path) + b"/caf\xe9.png"
    Path(os.fsdecode(name)).touch()
    (item,) = find_items([str(tmp_path)])
    assert os.fsencode(item.path) == name


def test_a_very_deep_folder_is_walked(tmp_path):
    deep = tmp_path
    for _ in range(400):
        deep = deep / "d"
        deep.mkdir()
    write(deep, "a.png")
    assert len(list(find_items([str(tmp_path)]))) == 1
    assert len(list(find_items([str(tmp_path / "**" / "d" / "**" / "*.png")]))) == 1


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("**/*.dcm", ["a/b/3.dcm", "a/2.dcm", "a/x.dcm/inner", "top.dcm"]),
        ("*.dcm", ["top.dcm"]),
        ("*/*.dcm", ["a/2.dcm", "a/x.dcm/inner"]),
        ("a/b", ["a/b/3.dcm", "a/b/4.png"]),
        ("?/b", ["a/b/3.dcm", "a/b/4.png"]),
        ("**/[34].*", ["a/b/3.dcm", "a/b/4.png"]),
        ("**/b/**", ["a/b/3.dcm", "a/b/4.png"]),
        ("nothing*", []),
    ],
)
def test_a_glob_gives_the_files_that_match_and_the_folders_whole(tmp_path, pattern, names):
    write(tmp_path, "top.dcm", "a/2.dcm", "a/b/3.dcm", "a/b/4.png", "a/x.dcm/inner", "c/5.txt")
    items = list(find_items([str(tmp_path / pattern)]))
    assert sorted(relative(items, tmp_path)) == sorted(names)


def test_a_glob_reports_the_links_it_would_have_followed_and_no_others(tmp_path):
    write(tmp_path, "a.png", "sub/b.png")
    (tmp_path / "c.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "notes.txt").symlink_to(tmp_path / "a.png")
    (tmp_path / "folder").symlink_to(tmp_path / "sub")
    refused = [item for item in find_items([str(tmp_path / "**/*.png")]) if isinstance(item, Refused)]
    assert relative(refused, tmp_path) == ["c.png", "folder"]


def test_the_index_among_the_images_is_not_walked(tmp_path):
    write(tmp_path, "a.png", "sub/my.index/catalog.sqlite", "sub/b.png")
    (tmp_path / "alias").symlink_to(tmp_path / "sub")
    for source in (tmp_path, tmp_path / "**/*"):
        items = find_items([str(source)], without=tmp_path / "alias" / "my.index")
        assert relative(items, tmp_path) == ["a.png", "alias", "sub/b.png"]


def test_a_name_with_brackets_that_exists_is_no_pattern(tmp_path):
    write(tmp_path, "scan [1]/a.png", "scan 1/b.png")
    assert relative(find_items([str(tmp_path / "scan [1]")]), tmp_path) == ["scan [1]/a.png"]


def test_a_file_given_by_two_sources_counts_once(tmp_path):
    write(tmp_path, "a/1.png", "a/2.png")
    (tmp_path / "alias").symlink_to(tmp_path / "a")
    sources = [
        tmp_path,
        tmp_path / "a",
        tmp_path / "a" / "1.png",
        tmp_path / "**" / "*.png",
        tmp_path / "alias",
    ]
    items = [item for item in find_items(map_to_text(sources)) if isinstance(item, Found)]
    assert relative(items, tmp_path) == ["a/1.png", "a/2.png"]


def map_to_text(paths) -> list[str]:
    return [str(path) for path in paths]


def test_a_source_can_be_stored_as_text_and_used_from_elsewhere(tmp_path, monkeypatch):
    write(tmp_path, "data/1.png", "data/items.csv")
    monkeypatch.chdir(tmp_path)
    texts = ["data", "data/*.png", "data/1.png", "data/items.csv"]
    parsed = [Source.parse(text) for text in texts]
    assert [source.kind for source in parsed] == ["folder", "glob", "file", "table"]
    monkeypatch.chdir("/")
    assert [Source.parse(str(source)) for source in parsed] == parsed
    assert str(parsed[1]) == str(tmp_path / "data" / "*.png")


@pytest.mark.parametrize("source", ["missing", "missing/*.png", "", "a\0b"])
def test_a_source_that_is_not_there_is_an_error_before_anything_is_read(tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ItemsError, match=r"missing|is no path") as caught:
        find_items([source])
    assert "\n" not in str(caught.value)


def test_a_link_given_as_a_source_is_refused_like_any_other(tmp_path):
    write(tmp_path, "a.png")
    (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
    (item,) = find_items([str(tmp_path / "b.png")])
    assert isinstance(item, Refused)
    assert item.reason is SkipReason.SYMLINK


def test_labels_join_the_files_of_a_folder_by_path(tmp_path):
    write(tmp_path, "data/1.png", "data/2.png", "data/3.png")
    table = tmp_path / "labels.csv"
    table.write_text(
        "path,label,patient_id,age\ndata/1.png,benign,p1,50\ndata/gone.png,malignant,p2,60\n./data/3.png,,p3,\n"
    )
    unmatched: list[str] = []
    items = list(find_items([str(tmp_path / "data")], labels=table, on_unmatched=unmatched.append))
    assert items == [
        Found(str(tmp_path / "data/1.png"), "benign", "p1", {"age": 50}),
        Found(str(tmp_path / "data/2.png")),
        Found(str(tmp_path / "data/3.png"), None, "p3", {"age": None}),
    ]
    assert unmatched == [str(tmp_path / "data/gone.png")]


def test_labels_join_through_a_link_to_the_folder(tmp_path):
    write(tmp_path, "data/1.png")
    (tmp_path / "alias").symlink_to(tmp_path / "data")
    table = tmp_path / "labels.csv"
    table.write_text("path,label\nalias/1.png,benign\n")
    (item,) = find_items([str(tmp_path / "data")], labels=table)
    assert item.label == "benign"


def test_an_items_file_s_own_label_stands_whatever_the_order_of_sources(tmp_path):
    write(tmp_path, "1.png")
    items_file = tmp_path / "items.csv"
    items_file.write_text("path,label\n1.png,mine\n")
    labels = tmp_path / "labels.csv"
    labels.write_text("path,label\n1.png,theirs\n")
    found = list(find_items([str(tmp_path), str(items_file)], labels=labels))
    assert found[0] == Found(str(tmp_path / "1.png"), "mine")
    assert relative(found, tmp_path) == ["1.png", "items.csv", "labels.csv"]


def test_a_label_column_without_an_items_file_is_an_error(tmp_path):
    with pytest.raises(ItemsError, match="no items file"):
        find_items([str(tmp_path)], label_column="grade")


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (["10", "2", "1", "2"], ("1", "2", "10")),
        (["0", "-1"], ("-1", "0")),
        (["4a", "5"], None),
        (["benign"], None),
        ([], None),
        ([""], None),
        (["²"], None),
    ],
)
def test_whole_numbers_have_an_order_and_words_have_none(labels, order):
    assert label_order(labels) == order


@given(st.lists(st.integers(-(10**17), 10**17), min_size=1))
def test_the_order_of_labels_is_that_of_their_values(values):
    order = label_order(str(value) for value in values)
    assert order == tuple(str(value) for value in sorted(set(values)))
