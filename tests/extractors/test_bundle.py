"""One file carries weights to a machine without a network, and nothing else than weights."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import replace
from types import SimpleNamespace

import pytest

from cbir.errors import WeightsError
from cbir.extractors.weights import (
    BundledFile,
    WeightsRecord,
    WeightsStore,
    install_bundle,
    known_weights,
    write_bundle,
)
from cbir.extractors.weights.bundle import manifest_sha256

CONTENTS = {"hub:a/empty": b"", "hub:b/odd": b"x" * 513, "hub:c/block": b"y" * 512, "hub:d/same": b"x" * 513}


@pytest.fixture
def store(tmp_path) -> WeightsStore:
    return WeightsStore(tmp_path / "weights")


@pytest.fixture
def files(tmp_path) -> list[BundledFile]:
    found = []
    for number, (source, content) in enumerate(CONTENTS.items()):
        path = tmp_path / f"{number}.w"
        path.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        found.append(BundledFile(WeightsRecord(source, "ü", digest, len(content), "MIT", None, "now"), path))
    return found


@pytest.fixture
def bundle(tmp_path, files):
    write_bundle(files, tmp_path / "w.cbirmodels")
    return tmp_path / "w.cbirmodels"


def made(tmp_path, records, members, *, kind=tarfile.REGTYPE, name=None):
    """A tar that another program could have made."""
    page = {"format": 1, "weights": records, "sha256": manifest_sha256(records)}
    page = json.dumps(page).encode()
    with tarfile.open(tmp_path / "made", "w", format=tarfile.GNU_FORMAT) as tar:
        first = tarfile.TarInfo("cbir-weights.json")
        first.size = len(page)
        tar.addfile(first, io.BytesIO(page))
        for digest, content in members:
            info = tarfile.TarInfo(name or f"files/{digest}")
            info.type, info.size = kind, len(content)
            info.linkname = "" if kind == tarfile.REGTYPE else "/etc/passwd"
            tar.addfile(info, io.BytesIO(content))
    return tmp_path / "made"


def entry(content: bytes, **changes: object) -> dict[str, object]:
    digest = hashlib.sha256(content).hexdigest()
    return WeightsRecord("hub:a/b", "b", digest, len(content)).to_dict() | changes


def refused(path, store, match):
    with pytest.raises(WeightsError, match=match) as caught:
        install_bundle(path, store)
    assert "\n" not in str(caught.value)
    assert store.records() == ()
    assert not list(store.folder.glob("files/*"))
    assert not list(store.folder.glob(".incoming*"))


def test_what_is_bundled_is_what_is_installed(bundle, files, store):
    installed = install_bundle(bundle, store)
    assert {each.source for each in installed} == set(CONTENTS)
    for source, content in CONTENTS.items():
        record = store.record(source)
        assert store.find(record.sha256).read_bytes() == content
        assert (record.license, record.name) == ("MIT", "ü")
    assert len(list((store.folder / "files").iterdir())) == 3  # the same bytes lie there once
    assert not list(store.folder.glob(".incoming*"))


def test_installing_twice_changes_nothing(bundle, store):
    first = install_bundle(bundle, store)
    before = store.records()
    assert len(install_bundle(bundle, store)) == len(first)
    assert store.records() == before


def test_the_same_weights_give_the_same_bytes_whatever_the_order(tmp_path, files):
    later = [replace(each, record=replace(each.record, recorded="later")) for each in reversed(files)]
    digest = write_bundle(files, tmp_path / "one")
    assert write_bundle(later, tmp_path / "two") == digest
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert hashlib.sha256((tmp_path / "one").read_bytes()).hexdigest() == digest


def test_a_bundle_is_a_tar_with_its_manifest_first(bundle):
    with tarfile.open(bundle, "r:") as tar:
        names = tar.getnames()
        page = json.load(tar.extractfile(names[0]))
    assert names[0] == "cbir-weights.json"
    assert len(names) == 1 + 3
    assert [each["source"] for each in page["weights"]] == sorted(CONTENTS)


def test_the_bundles_own_sha256_can_be_checked(bundle, store):
    with pytest.raises(WeightsError, match=f"not {'0' * 64}"):
        install_bundle(bundle, store, sha256="0" * 64)
    install_bundle(bundle, store, sha256=hashlib.sha256(bundle.read_bytes()).hexdigest().upper())


def test_every_cut_and_every_flipped_byte_is_noticed(bundle, store):
    whole = bundle.read_bytes()
    for length in (0, 1, 511, 512, 600, len(whole) - 1024, len(whole) - 1):
        bundle.write_bytes(whole[:length])
        refused(bundle, store, "carry it over again")
    flips = [*range(0, len(whole), 89), 124, 148, 512]
    for place in flips:
        bundle.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        refused(bundle, store, ".")
    bundle.write_bytes(whole + b"\0")
    refused(bundle, store, "more than its manifest says")


@pytest.mark.parametrize(
    ("records", "content", "options", "match"),
    [
        ([entry(b"w", size=2)], b"w", {}, "1 bytes, the manifest says 2"),
        ([entry(b"w", size=1 << 60)], b"w", {}, "make room"),
        ([entry(b"w", sha256="00" * 32)], b"w", {}, "where the plain file 'files/0000"),
        ([entry(b"w", sha256="../" * 21 + "x")], b"w", {}, "64 lower-case"),
        ([entry(b"w"), entry(b"w", size=2, source="hub:c/d")], b"w", {}, "contradicts itself"),
        ([entry(b"w"), entry(b"v")], b"w", {}, "contradicts itself"),
        ([], b"w", {}, "contradicts itself"),
        ([entry(b"w")], b"w", {"name": "../../escape"}, "escape"),
        ([entry(b"w")], b"w", {"name": "/escape"}, "escape"),
        ([entry(b"w")], b"", {"kind": tarfile.SYMTYPE}, "belongs"),
        ([entry(b"w")], b"", {"kind": tarfile.LNKTYPE}, "belongs"),
        ([entry(b"w")], b"w", {"kind": tarfile.GNUTYPE_SPARSE}, "belongs"),
        ([entry(b"w")], b"", {"kind": tarfile.DIRTYPE}, "belongs"),
    ],
)  # fmt: skip
def test_a_hostile_bundle_places_nothing(tmp_path, store, records, content, options, match):  # noqa: PLR0917
    digest = hashlib.sha256(content or b"w").hexdigest()
    refused(made(tmp_path, records, [(digest, content)], **options), store, match)
    assert not (tmp_path / "escape").exists()


def test_a_huge_manifest_is_not_read(tmp_path, store):
    info = tarfile.TarInfo("cbir-weights.json")
    info.size = 1 << 40
    (tmp_path / "huge").write_bytes(info.tobuf(tarfile.GNU_FORMAT))
    refused(tmp_path / "huge", store, "its manifest claims")


def test_a_newer_format_says_to_update(tmp_path, store, bundle):
    bundle.write_bytes(bundle.read_bytes().replace(b'"format": 1', b'"format": 2', 1))
    refused(bundle, store, "format 2, this cbir reads 1; update cbir")


def test_a_full_disk_is_said_before_anything_is_written(bundle, store, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=5))
    refused(bundle, store, "needs 1025 bytes .* 5 are free")


def test_a_disk_that_fills_up_meanwhile_leaves_nothing(bundle, store, monkeypatch):
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    refused(bundle, store, "No space left on device")


def test_nothing_comes_in_under_a_published_name(tmp_path, store):
    known = next(each for each in known_weights().values() if each.sha256)
    path = made(tmp_path, [entry(b"w", source=known.source)], [(hashlib.sha256(b"w").hexdigest(), b"w")])
    refused(path, store, f"but {known.sha256} is published")


def test_nothing_replaces_what_is_remembered(tmp_path, store):
    old = WeightsRecord("hub:a/b", "b", "ab" * 32, 1)
    store.remember([old])
    path = made(tmp_path, [entry(b"w")], [(hashlib.sha256(b"w").hexdigest(), b"w")])
    with pytest.raises(WeightsError, match="ab" * 32):
        install_bundle(path, store)
    assert store.records() == (old,)


def test_a_file_that_changed_is_not_bundled_and_the_old_bundle_stays(bundle, files):
    before = bundle.read_bytes()
    for content in (b"z" * 512, b"y" * 511, b"y" * 513):
        files[2].path.write_bytes(content)
        with pytest.raises(WeightsError, match="cbir models verify"):
            write_bundle(files, bundle)
    assert bundle.read_bytes() == before
    assert not list(bundle.parent.glob(".w.cbirmodels-*"))


def test_nothing_to_bundle_is_an_error(tmp_path):
    with pytest.raises(WeightsError, match="nothing to bundle"):
        write_bundle([], tmp_path / "x")
    assert not (tmp_path / "x").exists()
