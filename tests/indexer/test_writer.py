"""What a writer is told of files, and the items that come of it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gallery import add, image_of, record_of, sha256_of, unit_rows

from cbir.errors import SkipReason, VectorError
from indexer import FileRecord, Index

ROWS = unit_rows(40, 8)


def paths_of(path: Path) -> dict[str, str]:
    with Index.open(path) as index:
        return {item.path: item.id for item in index.items()}


def test_an_item_keeps_its_id_when_its_file_changes(writer, path):
    add(writer, "/a", ROWS[0], label="before")
    writer.commit()
    before = paths_of(path)
    writer.add_file(record_of("/a", "changed"), [image_of("changed", ROWS[1])], label="after")
    writer.commit()
    assert paths_of(path) == before
    with Index.open(path) as index:
        [item] = index.items()
        np.testing.assert_allclose(index.query(item.id).embedding, ROWS[1], atol=1e-6)
        assert item.label == "after"
        assert index.info().n_dead_rows == 1


def test_a_moved_file_keeps_its_item_and_a_newcomer_at_its_place_gets_another_id(writer, path):
    add(writer, "/a", ROWS[0], label="first")
    writer.commit()
    first = paths_of(path)["/a"]
    writer.move_file("/a", record_of("/b", "/a"))
    add_other = record_of("/a", "newcomer")
    writer.add_file(add_other, [image_of("newcomer", ROWS[1])])
    writer.commit()
    now = paths_of(path)
    assert now["/b"] == first != now["/a"]
    with Index.open(path) as index:
        assert index.item(first).label == "first"


def test_a_move_over_a_known_file_replaces_its_items(writer, path):
    add(writer, "/a", ROWS[0])
    add(writer, "/b", ROWS[1])
    writer.move_file("/a", record_of("/b", "/a"))
    writer.commit()
    assert list(paths_of(path)) == ["/b"]
    with Index.open(path) as index:
        [item] = index.items()
        np.testing.assert_allclose(index.query(item.id).embedding, ROWS[0], atol=1e-6)


def test_moving_what_is_not_known_is_refused(writer):
    with pytest.raises(ValueError, match="not known"):
        writer.move_file("/nowhere", record_of("/b", "b"))


def test_files_with_the_same_bytes_are_two_items_on_one_embedding(writer, path):
    add(writer, "/a", ROWS[0])
    assert writer.has_content(sha256_of("/a"))
    writer.link_file(record_of("/copy", "/a", "duplicate"), label="copy")
    writer.commit()
    assert writer.paths_with(sha256_of("/a")) == ["/a", "/copy"]
    with Index.open(path) as index:
        assert (len(index), index.info().n_rows) == (2, 1)
        assert index.info().n_files == {"duplicate": 1, "indexed": 1}
        assert [item.path for item in index.items_by_content(sha256_of("/a"))].count("/copy") == 1


def test_linking_bytes_that_are_not_known_is_refused(writer):
    with pytest.raises(ValueError, match="add_file"):
        writer.link_file(record_of("/copy", "unheard of"))


def test_removed_bytes_can_be_linked_again_without_a_new_embedding(writer, path):
    add(writer, "/a", ROWS[0])
    assert writer.remove_paths(["/a"]) == 1
    assert writer.has_content(sha256_of("/a"))
    writer.link_file(record_of("/b", "/a"))
    writer.commit()
    with Index.open(path) as index:
        assert (index.info().n_rows, index.info().n_dead_rows, len(index)) == (1, 0, 1)


def test_every_frame_of_a_file_is_an_item(writer, path):
    frames = [image_of("film", row, frame=number) for number, row in enumerate(ROWS[:3])]
    writer.add_file(record_of("/film", "film"), frames)
    writer.commit()
    with Index.open(path) as index:
        assert sorted(item.frame for item in index.items()) == [0, 1, 2]
        assert len({item.id for item in index.items()}) == 3


def test_a_file_with_fewer_frames_than_before_loses_items(writer, path):
    writer.add_file(record_of("/f", "two"), [image_of("two", ROWS[n], frame=n) for n in range(2)])
    writer.add_file(record_of("/f", "one"), [image_of("one", ROWS[2])])
    writer.commit()
    assert len(paths_of(path)) == 1


def test_a_skipped_file_is_accounted_for_and_loses_the_items_it_had(writer, path):
    add(writer, "/a", ROWS[0])
    skipped = FileRecord("/a", 3, 9, None, "skipped", SkipReason.TRUNCATED, "ends after 3 bytes")
    writer.skip_file(skipped)
    writer.commit()
    with Index.open(path) as index:
        assert (len(index), list(index.skipped()), list(index.files())) == (0, [skipped], [skipped])
    assert writer.file("/a") == skipped


def test_names_in_any_encoding_come_back_as_they_were(writer, path):
    strange = os.fsdecode(b"/caf\xe9/\xff\n.png")
    said = {"note": "\udce9", "size": 1.5, "none": None}
    add(writer, strange, ROWS[0], label="Brüste – 乳房", metadata=said)
    add(writer, "/b", ROWS[1], label=os.fsdecode(b"caf\xe9"))
    writer.commit()
    assert set(writer.paths()) == {strange, "/b"}
    with Index.open(path) as index:
        items = {item.path: item for item in index.items()}
        assert items[strange].label == "Brüste – 乳房"
        assert items[strange].metadata == said
        assert items["/b"].label == "caf\\udce9"  # printable on every terminal


def test_annotations_win_over_what_the_file_says_and_can_be_taken_back(writer, path):
    image = image_of("x", ROWS[0], info={"modality": "MG", "view": "CC"}, group="patient")
    writer.add_file(record_of("/x", "x"), [image], group="chosen", metadata={"view": "MLO"})
    writer.commit()
    with Index.open(path) as index:
        [item] = index.items()
        assert (item.group, dict(item.metadata)) == ("chosen", {"modality": "MG", "view": "MLO"})
    assert writer.update_annotations("/x", label="cyst", group=None, metadata={})
    assert not writer.update_annotations("/x", label="cyst", group=None, metadata={})
    writer.commit()
    with Index.open(path) as index:
        [item] = index.items()
        assert (item.label, item.group, item.metadata["view"]) == ("cyst", "patient", "CC")


def test_removing_the_last_item_of_a_file_forgets_the_file(writer, path):
    add(writer, "/a", ROWS[0])
    writer.commit()
    assert writer.remove([paths_of(path)["/a"], "no such item"]) == 1
    writer.commit()
    assert writer.file("/a") is None
    assert paths_of(path) == {}


def test_an_instance_is_known_by_its_bytes_and_pixels_until_it_is_removed(writer):
    writer.add_file(record_of("/x", "x"), [image_of("x", ROWS[0], instance="uid")])
    assert writer.instance("uid") == (sha256_of("x"), sha256_of("pixels x 0"))
    writer.remove_paths(["/x"])
    assert writer.instance("uid") is None


def test_a_duplicate_under_other_bytes_is_a_file_without_an_item(writer, path):
    add(writer, "/a", ROWS[0])
    writer.note_duplicate(record_of("/same image", "other bytes", "duplicate"))
    writer.commit()
    with Index.open(path) as index:
        assert (len(index), index.info().n_files) == (1, {"duplicate": 1, "indexed": 1})


def test_a_touched_file_is_noted_and_keeps_its_item(writer, path):
    add(writer, "/a", ROWS[0])
    writer.note_file(replace(record_of("/a", "/a"), mtime_ns=77))
    writer.commit()
    assert writer.file("/a").mtime_ns == 77
    assert list(paths_of(path)) == ["/a"]


@pytest.mark.parametrize(
    ("vector", "says"),
    [
        (np.full(8, np.nan, np.float32), "not finite"),
        (np.array([np.inf, *[0] * 7], np.float32), "not finite"),
        (np.zeros(8, np.float32), "length 0"),
        (ROWS[0] * 1.01, "length 1.01"),
        (unit_rows(1, 7)[0], r"shape \(7,\)"),
    ],
)
def test_a_vector_that_is_none_is_refused_and_nothing_is_added(writer, path, vector, says):
    with pytest.raises(VectorError, match=says):
        writer.add_file(record_of("/f", "f"), [image_of("f", ROWS[0]), image_of("f", vector, frame=1)])
    add(writer, "/fine", ROWS[1])
    writer.commit()
    assert list(paths_of(path)) == ["/fine"]


def test_a_memo_is_kept_with_the_index(writer, path):
    writer.set_memo("sources", [{"path": "/data", "labels": None}])
    writer.commit()
    with Index.open(path) as index:
        assert index.memo("sources") == [{"path": "/data", "labels": None}]
        assert index.memo("nothing") is None
