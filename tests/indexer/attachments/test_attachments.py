"""What is attached comes back as it was, with the generation it belongs to, and of the images it is of."""

from __future__ import annotations

import numpy as np
import pytest
from gallery import add, image_of, record_of, unit_rows
from graded import COLUMNS, ids_of, values_of

from cbir.errors import AttachmentError, IndexDamagedError, SpecError, VectorError
from indexer import Index, IndexWriter, verify_index
from indexer.asking.tenants import remember_tenant_column
from indexer.attachments import ItemValues
from indexer.manifest import ATTACHED, read_manifest
from indexer.snapshot import restore_snapshot, take_snapshot

ROWS = unit_rows(30, 8, seed=5)


def known(path, ids):
    with Index.open(path) as index:
        return index.attachment("grader").values(ids)


def test_what_is_attached_comes_back(attached, network):
    ids = ids_of(attached)
    with Index.open(attached) as index:
        assert index.attachments() == ["grader"]
        found = index.attachment("grader")
        assert (found.name, found.settings, found.columns) == ("grader", {"blend": 0.25}, COLUMNS)
        assert found.n_images == 10
        assert (found.folder / "model/network.onnx").read_bytes() == network.read_bytes()
        assert found.files == {"model/network.onnx": found.folder / "model/network.onnx"}
        values = found.values([ids[3], ids[11], "no such item", ids[0], ids[3]])
    assert values.dtype == np.float32
    np.testing.assert_array_equal(
        values, np.float32([[3, 3.5], [np.nan] * 2, [np.nan] * 2, [0, 0.5], [3, 3.5]])
    )
    assert verify_index(attached).ok


def test_nothing_is_known_of_no_items_and_a_table_may_be_empty_or_missing(attached):
    with IndexWriter.open(attached) as writer:
        writer.attach("bare", settings=None)
        writer.attach("empty", settings=[], values=ItemValues(("a",), (), np.empty((0, 1), np.float32)))
        writer.commit()
    with Index.open(attached) as index:
        assert index.attachments() == ["bare", "empty", "grader"]
        assert index.attachment("grader").values([]).shape == (0, 2)
        bare, empty = index.attachment("bare"), index.attachment("empty")
        assert (bare.settings, bare.columns, bare.n_images, bare.files) == (None, (), 0, {})
        assert bare.values(["x"]).shape == (1, 0)
        assert (empty.columns, empty.n_images) == (("a",), 0)
        assert np.isnan(empty.values(["x"])).all()


def test_values_follow_the_image(attached):
    ids = ids_of(attached)
    with IndexWriter.open(attached) as writer:
        writer.move_file("/g/1", record_of("/moved", "/g/1"))
        writer.link_file(record_of("/copy", "/g/2", "duplicate"))
        writer.add_file(record_of("/g/3", "other bytes"), [image_of("other bytes", ROWS[3])])
        writer.remove([ids[4]])
        add(writer, "/new", ROWS[4])
        writer.commit()
    with Index.open(attached) as index:
        by_path = {item.path: item.id for item in index.items()}
        assert by_path["/g/3"] == ids[3]
        asked = [by_path[each] for each in ("/moved", "/copy", "/g/2", "/g/3", "/new", "/g/5")]
        values = index.attachment("grader").values([*asked, ids[4]])
    nan = np.nan
    np.testing.assert_array_equal(values[:, 0], np.float32([1, 2, 2, nan, nan, 5, nan]))


def test_frames_of_one_file_have_values_of_their_own(path, attached):
    frames = [image_of("series", ROWS[n], frame=n) for n in range(3)]
    with IndexWriter.open(attached) as writer:
        writer.add_file(record_of("/series", "series"), frames)
        writer.commit()
    with Index.open(attached) as index:
        ids = [
            item.id for item in sorted(index.items(), key=lambda each: each.frame) if item.path == "/series"
        ]
    with IndexWriter.open(path) as writer:
        writer.attach("grader", settings={}, values=values_of(ids))
        writer.commit()
    np.testing.assert_array_equal(known(attached, ids)[:, 0], np.float32([0, 1, 2]))


def test_attaching_again_replaces_all_of_it(attached, network):
    ids = ids_of(attached)
    with IndexWriter.open(attached) as writer:
        for start in (100.0, 200.0):
            was = writer.attachment("grader")
            writer.attach("grader", settings=start, files=was.files, values=values_of(ids, start=start))
        generation = writer.commit()
        writer.attach("grader", settings="not committed")
    with Index.open(attached) as index:
        found = index.attachment("grader")
        assert (index.generation, found.settings) == (generation, 200.0)
        assert (found.folder / "model/network.onnx").read_bytes() == network.read_bytes()
        np.testing.assert_array_equal(found.values([ids[11]]), np.float32([[211, 211.5]]))
    IndexWriter.open(attached).close()
    lying = [each for each in (attached / ATTACHED).rglob("*") if each.is_file()]
    assert {str(each.relative_to(attached)) for each in lying} == {
        each for each in read_manifest(attached).files if each.startswith(ATTACHED)
    }
    with IndexWriter.open(attached) as writer:  # never into the folder that is published
        writer.attach("grader", settings="next")
        with Index.open(attached) as index:
            assert index.attachment("grader").settings == 200.0
            assert index.attachment("grader").files


def test_settings_change_alone(attached, network):
    ids = ids_of(attached)
    before = known(attached, ids)
    with IndexWriter.open(attached) as writer:
        writer.set_attachment("grader", {"blend": 0.1})
        with pytest.raises(AttachmentError, match="'other'"):
            writer.set_attachment("other", {})
        writer.commit()
    with Index.open(attached) as index:
        found = index.attachment("grader")
        assert (found.settings, found.columns, found.n_images) == ({"blend": 0.1}, COLUMNS, 10)
        assert found.files["model/network.onnx"].read_bytes() == network.read_bytes()
    np.testing.assert_array_equal(known(attached, ids), before)


def test_what_is_detached_is_gone(attached):
    with IndexWriter.open(attached) as writer:
        writer.detach("grader")
        with pytest.raises(AttachmentError, match="nothing is attached to it"):
            writer.detach("grader")
        writer.commit()
    with Index.open(attached) as index:
        assert index.attachments() == []
        with pytest.raises(AttachmentError, match="no attachment 'grader': nothing is attached"):
            index.attachment("grader")
    assert not any(each.is_file() for each in (attached / ATTACHED).rglob("*"))
    assert verify_index(attached).ok


def test_another_name_is_refused_with_those_there_are(attached):
    with Index.open(attached) as index, pytest.raises(AttachmentError, match="'gradr': attached are grader"):
        index.attachment("gradr")


@pytest.mark.parametrize("name", ["", "Grader", "a/b", "..", "ä", "a" * 65, "a\n"])
def test_names_that_cannot_be_are_refused(attached, name):
    with IndexWriter.open(attached) as writer, pytest.raises(SpecError, match="can't be the name"):
        writer.attach(name, settings=None)


@pytest.mark.parametrize("name", ["", "..", "../x", "/etc/passwd", "a//b", "a/../../b", ".", "a\0"])
def test_files_that_would_leave_the_folder_are_refused(attached, network, name):
    with IndexWriter.open(attached) as writer:
        with pytest.raises(SpecError, match="can't be a file"):
            writer.attach("other", settings=None, files={name: network})
        assert writer.commit() == read_manifest(attached).generation  # nothing happened, and it still works


def test_a_file_that_is_not_there_is_refused(attached, tmp_path):
    with IndexWriter.open(attached) as writer, pytest.raises(SpecError, match=r"nowhere' is no file"):
        writer.attach("other", settings=None, files={"a": tmp_path / "nowhere"})


@pytest.mark.parametrize("values", [np.zeros((1, 3), np.float32), np.float32([[0, np.nan]])])
def test_values_that_make_no_sense_are_refused(attached, values):
    with IndexWriter.open(attached) as writer, pytest.raises(VectorError, match=r"^Values "):
        writer.attach("other", settings=None, values=ItemValues(COLUMNS, ["x"], values))


def test_compacting_drops_the_rows_of_images_that_are_gone_and_keeps_the_rest(attached, network):
    ids = ids_of(attached)
    with IndexWriter.open(attached) as writer:
        writer.remove(ids[:2])
        writer.commit()
        assert writer.attachment("grader").n_images == 10
        writer.compact()
    with Index.open(attached) as index:
        found = index.attachment("grader")
        assert (found.n_images, found.settings) == (8, {"blend": 0.25})
        assert (found.folder / "model/network.onnx").read_bytes() == network.read_bytes()
        np.testing.assert_array_equal(found.values(ids)[2:10, 0], np.arange(2, 10, dtype=np.float32))
    assert verify_index(attached).ok


def test_it_goes_with_a_store_that_is_built_or_changed(attached):
    ids = ids_of(attached)
    before = known(attached, ids)
    with IndexWriter.open(attached) as writer:
        writer.build_store("exact", anew=True)
        writer.build_store("faiss", anew=True)
    np.testing.assert_array_equal(known(attached, ids), before)


def test_it_goes_with_a_snapshot(attached, network, tmp_path):
    ids = ids_of(attached)
    take_snapshot(attached, tmp_path / "a.tar")
    restore_snapshot(tmp_path / "a.tar", tmp_path / "back.index")
    np.testing.assert_array_equal(known(tmp_path / "back.index", ids), known(attached, ids))
    with Index.open(tmp_path / "back.index") as index:
        assert (index.attachment("grader").folder / "model/network.onnx").read_bytes() == network.read_bytes()
    assert verify_index(tmp_path / "back.index").ok


@pytest.mark.parametrize("number", [1, 2])
def test_an_index_of_any_format_takes_an_attachment(golden_index, number):
    path = golden_index(number)
    with Index.open(path) as index:
        assert index.attachments() == []
        ids = [item.id for item in index.items()]
    with IndexWriter.open(path) as writer:
        writer.attach("grader", settings=1, values=values_of(ids))
        writer.commit()
    assert np.isfinite(known(path, ids)).all()
    assert verify_index(path).ok


@pytest.mark.parametrize("name", ["attachment.json", "values.keys", "values.f32", "files/model/network.onnx"])
def test_damage_is_noticed_before_an_answer_and_by_verify(attached, name):
    file = next(each for each in (attached / ATTACHED).rglob("*") if str(each).endswith(name))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)

    def ask(index: Index) -> None:
        found = index.attachment("grader")
        found.values(["x"])
        _ = found.folder

    with Index.open(attached) as index, pytest.raises(IndexDamagedError, match=file.name):
        ask(index)
    assert file.name in "".join(verify_index(attached).findings)


def test_what_an_older_generation_held_open_stays_and_its_files_are_said_to_be_gone(attached):
    ids = ids_of(attached)
    with Index.open(attached) as index:
        found = index.attachment("grader")
        with IndexWriter.open(attached) as writer:
            writer.attach("grader", settings="newer")
            writer.commit()
        assert found.settings == {"blend": 0.25}
        assert found.values([ids[7]])[0, 0] == 7
        with pytest.raises(AttachmentError, match="replaced or removed it since"):
            _ = found.folder
        with pytest.raises(AttachmentError, match="Open the index again"):
            index.attachment("grader")


def test_a_tenant_is_told_nothing_of_others_items(attached):
    ids = ids_of(attached)
    with IndexWriter.open(attached) as writer:
        for number in range(12):
            writer.update_annotations(
                f"/g/{number}", label=None, group=None, metadata={"site": "a" if number < 4 else "b"}
            )
        remember_tenant_column(writer, "site")
        writer.commit()
    with Index.open(attached, tenant="a") as index:
        values = index.attachment("grader").values(ids)
    np.testing.assert_array_equal(np.isfinite(values).all(axis=1), [n < 4 for n in range(12)])
