"""A snapshot is one generation, whole; a restore gives it back, or nothing."""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from gallery import add, gallery, unit_rows

from cbir.errors import IndexDamagedError, IndexMissingError, IndexWriteError
from cbir.plain_tar import END, header, padding
from cbir.types import Query
from indexer import STORES, Index, IndexWriter, verify_index
from indexer.manifest import StoreRef, manifest_bytes, read_manifest, write_manifest
from indexer.snapshot import restore_snapshot, take_snapshot
from indexer.storage.durable import TEMPORARY
from indexer.stores import StoreKind
from indexer.stores import faiss as faiss_store

DIM = 8
ROWS = unit_rows(300, DIM, seed=3)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return gallery(tmp_path / "lesions.index", ROWS[:40])


@pytest.fixture
def with_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index whose store has a file."""
    small = StoreKind(partial(faiss_store.build, flat_limit=100), STORES["faiss"].open)
    monkeypatch.setitem(STORES, "faiss", small)
    return gallery(tmp_path / "stored.index", ROWS)


def answers(path: Path) -> list[tuple[str, float]]:
    with Index.open(path) as index:
        hits = index.search(Query(ROWS[5], index.fingerprint), 30)
        assert all(index.thumbnail(hit.item.id) for hit in hits)
        return [(hit.item.id, hit.score) for hit in hits]


def names(snapshot: Path) -> list[str]:
    with tarfile.open(snapshot) as tar:
        return tar.getnames()


def test_what_is_restored_answers_as_before(source, tmp_path):
    taken = take_snapshot(source, tmp_path / "a.tar")
    restored = restore_snapshot(tmp_path / "a.tar", tmp_path / "back.index")
    assert (taken.generation, taken.n_items, taken.n_files) == (restored.generation, 40, restored.n_files)
    assert taken.n_bytes == (tmp_path / "a.tar").stat().st_size
    assert answers(tmp_path / "back.index") == answers(source)
    assert verify_index(tmp_path / "back.index").ok
    with IndexWriter.open(tmp_path / "back.index") as writer:
        add(writer, "/new", ROWS[50])
        assert writer.commit() == taken.generation + 1
    assert not list(tmp_path.glob(f"{TEMPORARY}*"))


def test_one_generation_gives_the_same_bytes_and_a_plain_tar_reads_them(source, tmp_path):
    take_snapshot(source, tmp_path / "a.tar")
    take_snapshot(source, tmp_path / "b.tar")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    assert names(tmp_path / "a.tar") == ["manifest.json", *sorted(read_manifest(source).files)]
    with tarfile.open(tmp_path / "a.tar") as tar:
        tar.extractall(tmp_path / "by_tar", filter="data")
    assert answers(tmp_path / "by_tar") == answers(source)


def test_the_stores_files_are_left_out_unless_asked_for(with_files, tmp_path):
    assert read_manifest(with_files).store.files
    without = take_snapshot(with_files, tmp_path / "a.tar")
    whole = take_snapshot(with_files, tmp_path / "b.tar", with_store=True)
    assert (without.without_store, whole.without_store) == (True, False)
    assert not any(name.startswith("store/") for name in names(tmp_path / "a.tar"))
    assert any(name.startswith("store/") for name in names(tmp_path / "b.tar"))
    assert restore_snapshot(tmp_path / "a.tar", tmp_path / "a.index").lacks_store
    assert not restore_snapshot(tmp_path / "b.tar", tmp_path / "b.index").lacks_store
    assert answers(tmp_path / "a.index") == answers(tmp_path / "b.index") == answers(with_files)
    assert verify_index(tmp_path / "b.index").ok
    with IndexWriter.open(tmp_path / "a.index") as writer:
        writer.build_store()
    assert read_manifest(tmp_path / "a.index").store.files
    assert answers(tmp_path / "a.index") == answers(with_files)


def test_a_copy_does_not_share_the_collection_of_a_store_on_a_server(source, tmp_path):
    manifest = read_manifest(source)
    on_server = StoreRef(
        "exact", n_rows=40, settings={"url": "http://localhost:6333", "collection": "lesions"}
    )
    write_manifest(source, replace(manifest, store=on_server))
    assert take_snapshot(source, tmp_path / "a.tar").without_store
    assert restore_snapshot(tmp_path / "a.tar", tmp_path / "back.index").lacks_store
    assert read_manifest(tmp_path / "back.index").store == StoreRef("exact")


def test_a_snapshot_of_an_older_format_is_of_that_format(golden_index, tmp_path):
    path = golden_index(1)
    assert not take_snapshot(path, tmp_path / "old.tar").without_store
    assert not restore_snapshot(tmp_path / "old.tar", tmp_path / "old.index").lacks_store
    assert read_manifest(tmp_path / "old.index").format == 1
    assert (tmp_path / "old.index" / "manifest.json").read_bytes() == (path / "manifest.json").read_bytes()
    assert verify_index(tmp_path / "old.index").ok


def test_a_generation_is_whole_though_a_writer_publishes_the_next(source, tmp_path, monkeypatch):
    from indexer.storage import held

    opened = []
    original = held.SealedFile

    def publish_meanwhile(path: Path, seal):
        opened.append(path)
        if len(opened) == 3:  # the rest of this generation is removed under it
            with IndexWriter.open(source) as writer:
                writer.remove_paths(["/g/3"])
                writer.compact()
        return original(path, seal)

    monkeypatch.setattr(held, "SealedFile", publish_meanwhile)
    taken = take_snapshot(source, tmp_path / "a.tar")
    restore_snapshot(tmp_path / "a.tar", tmp_path / "back.index")
    assert taken.generation == read_manifest(source).generation
    assert answers(tmp_path / "back.index") == answers(source)


def test_files_removed_while_they_are_copied_are_copied_all_the_same(source, tmp_path, monkeypatch):
    from indexer.snapshot import take

    before, generation = answers(source), read_manifest(source).generation
    original = take.DurableFile

    def publish_first(target: Path):
        with IndexWriter.open(source) as writer:
            writer.remove_paths(["/g/5"])
            writer.compact()
        return original(target)

    monkeypatch.setattr(take, "DurableFile", publish_first)
    assert take_snapshot(source, tmp_path / "a.tar").generation == generation
    monkeypatch.undo()
    restore_snapshot(tmp_path / "a.tar", tmp_path / "back.index")
    assert answers(tmp_path / "back.index") == before != answers(source)


def test_a_damaged_index_gives_no_snapshot(source, tmp_path):
    path = source / "embeddings" / "000000.f32"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(IndexDamagedError, match=r"000000\.f32"):
        take_snapshot(source, tmp_path / "a.tar")
    path.unlink()
    with pytest.raises(IndexDamagedError, match="missing"):
        take_snapshot(source, tmp_path / "a.tar")
    assert sorted(tmp_path.iterdir()) == [source]


def test_nothing_is_written_over(source, tmp_path):
    take_snapshot(source, tmp_path / "a.tar")
    with pytest.raises(IndexWriteError, match="there already"):
        take_snapshot(source, tmp_path / "a.tar")
    with pytest.raises(IndexWriteError, match="There is an index at"):
        restore_snapshot(tmp_path / "a.tar", source)
    (tmp_path / "folder").mkdir()
    restore_snapshot(tmp_path / "a.tar", tmp_path / "folder")  # an empty one makes room
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(IndexWriteError, match="something else"):
        restore_snapshot(tmp_path / "a.tar", tmp_path / "other")
    with pytest.raises(IndexMissingError, match="No such file"):
        restore_snapshot(tmp_path / "none.tar", tmp_path / "new.index")


def packed(source: Path, target: Path, change) -> Path:
    """A snapshot whose manifest fits itself, and lists what ``change`` makes of the files."""
    manifest = read_manifest(source)
    files = dict(manifest.files)
    contents = {name: (source / name).read_bytes() for name in files}
    change(files, contents)
    page = manifest_bytes(replace(manifest, files=files))
    with target.open("wb") as file:
        for name, data in (("manifest.json", page), *sorted(contents.items())):
            file.write(header(name, len(data)) + data + padding(len(data)))
        file.write(END)
    return target


def rename(old: str, new: str):
    def change(files, contents):
        files[new], contents[new] = files.pop(old), contents.pop(old)

    return change


@pytest.mark.parametrize(
    "name",
    ["/etc/cbir", "../outside", "model/../../outside", "model/./x", "model//x", "writer.lock",
     "manifest.json", "catalog-evil.sqlite", "model", "embeddings/../manifest.json", "model/\0x", ""],
)  # fmt: skip
def test_a_snapshot_with_a_name_that_no_index_gives_is_refused(source, tmp_path, name):
    def change(files, contents):
        files[name], contents["model/branch0.onnx"] = files.pop("model/branch0.onnx"), b""

    packed(source, tmp_path / "evil.tar", change)
    with pytest.raises(IndexDamagedError, match="no file of an index: nothing was restored"):
        restore_snapshot(tmp_path / "evil.tar", tmp_path / "deep" / "er" / "new.index")
    assert sorted(each.name for each in tmp_path.rglob("*") if each.name in {"outside", "new.index"}) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE, b"S"])
def test_a_member_that_is_no_plain_file_is_refused(source, tmp_path, kind):
    take_snapshot(source, tmp_path / "a.tar")
    content = bytearray((tmp_path / "a.tar").read_bytes())
    start = 512 + len((source / "manifest.json").read_bytes())
    start += -start % 512
    info = tarfile.TarInfo.frombuf(bytes(content[start : start + 512]), "utf-8", "strict")
    info.type, info.linkname = kind, "/etc/passwd"
    content[start : start + 512] = info.tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(IndexDamagedError, match="where the plain file"):
        restore_snapshot(tmp_path / "a.tar", tmp_path / "new.index")
    assert not (tmp_path / "new.index").exists()


def test_a_manifest_that_lists_less_than_it_needs_is_refused(source, tmp_path):
    for gone, said in (
        (read_manifest(source).catalog, "lists no"),
        ("embeddings/000000.f32", "does not list"),
    ):

        def change(files, contents, gone=gone):
            del files[gone], contents[gone]

        packed(source, tmp_path / "less.tar", change)
        with pytest.raises(IndexDamagedError, match=said):
            restore_snapshot(tmp_path / "less.tar", tmp_path / "new.index")
        assert not (tmp_path / "new.index").exists()


def test_what_is_no_snapshot_says_so(tmp_path):
    for content in (b"", b"text", bytes(4096), header("other", 3) + b"abc" + padding(3) + END):
        (tmp_path / "no.tar").write_bytes(content)
        with pytest.raises(IndexDamagedError, match=r"no snapshot, or damaged.*again"):
            restore_snapshot(tmp_path / "no.tar", tmp_path / "new.index")
    huge = header("manifest.json", 1 << 40)
    (tmp_path / "no.tar").write_bytes(huge)
    with pytest.raises(IndexDamagedError, match="claims"):
        restore_snapshot(tmp_path / "no.tar", tmp_path / "new.index")
    assert [each.name for each in tmp_path.iterdir()] == ["no.tar"]


def test_a_snapshot_of_a_newer_format_names_both(source, tmp_path):
    import xxhash

    take_snapshot(source, tmp_path / "a.tar")
    content = (tmp_path / "a.tar").read_bytes()
    size = len((source / "manifest.json").read_bytes())
    head, neck, body = content[512 : 512 + size].partition(b'",\n')
    body = body.replace(b'"format": ' + str(read_manifest(source).format).encode(), b'"format": 9')
    page = head[:-32] + xxhash.xxh3_128(body).hexdigest().encode() + neck + body
    json.loads(page)
    (tmp_path / "a.tar").write_bytes(content[:512] + page + content[512 + size :])
    with pytest.raises(IndexMissingError, match="format 9, this version of cbir reads formats up to"):
        restore_snapshot(tmp_path / "a.tar", tmp_path / "new.index")
