"""What is known of weights: the registry of cbir, and each user's own."""

from __future__ import annotations

import hashlib
import json
import threading

import pytest

from cbir.errors import WeightsError
from cbir.extractors.preset import PRESETS, WeightsSource, read_preset
from cbir.extractors.weights import (
    WeightsRecord,
    WeightsStore,
    find_weights,
    install_file,
    known_weights,
    locate_weights,
)

SOURCE = WeightsSource("hub:someone/brüste".replace("ü", "u"), "tiny", "MIT")


@pytest.fixture
def store(tmp_path) -> WeightsStore:
    return WeightsStore(tmp_path / "weights")


def record(sha256: str = "ab" * 32, source: str = SOURCE.location) -> WeightsRecord:
    return WeightsRecord(source, "gewichte ü", sha256, 7, "MIT", "0" * 40, "2026-01-01T00:00:00+00:00")


def test_every_weights_file_of_a_preset_is_in_the_registry_and_they_agree():
    for name in PRESETS:
        for planned in read_preset(name).branches:
            source = planned.weights
            if source is None or source.location.startswith("run:"):  # of one's own training
                continue
            known = known_weights()[source.location]
            assert source.license in {None, known.license}, name
            assert source.sha256 in {None, known.sha256}, name


def test_every_entry_says_its_licence_its_page_and_who_publishes_its_sha256():
    names = [each.name for each in known_weights().values()]
    assert len(set(names)) == len(names) >= 5
    for each in known_weights().values():
        assert each.license
        assert each.trained_on
        assert each.page.startswith("https://")
        assert (each.sha256 is None) == (each.sha256_from is None)
        assert each.sha256 is None or len(bytes.fromhex(each.sha256)) == 32


def test_the_first_file_decides_and_another_one_is_refused(store, tmp_path):
    (tmp_path / "w").write_bytes(b"weights")
    first = install_file(tmp_path / "w", SOURCE, store)
    (tmp_path / "w").write_bytes(b"others!")
    with pytest.raises(WeightsError, match=first.sha256):
        install_file(tmp_path / "w", SOURCE, store)
    assert store.records() == (first,)


def test_an_installed_file_is_found_before_anything_else_without_a_network(store, tmp_path):
    (tmp_path / "w").write_bytes(b"weights")
    install_file(tmp_path / "w", SOURCE, store)
    found = find_weights(SOURCE, tmp_path, offline=True, store=store)
    assert found.path.read_bytes() == b"weights"
    assert found.path.is_relative_to(store.folder)
    assert (found.ref.name, found.ref.license) == ("tiny", "MIT")
    assert not found.pinned  # so that a pickle stays refused


def test_an_installed_file_that_changed_since_is_refused_with_both_digests(store, tmp_path):
    (tmp_path / "w").write_bytes(b"weights")
    first = install_file(tmp_path / "w", SOURCE, store)
    (path,) = (store.folder / "files").iterdir()
    path.write_bytes(b"flipped")
    now = hashlib.sha256(b"flipped").hexdigest()
    with pytest.raises(WeightsError, match=f"sha256 {now}, but {first.sha256} since"):
        find_weights(SOURCE, tmp_path, offline=True, store=store)


def test_a_published_sha256_wins_over_what_is_carried_in(store, tmp_path):
    (tmp_path / "w").write_bytes(b"weights")
    known = next(each for each in known_weights().values() if each.sha256)
    with pytest.raises(WeightsError, match=known.sha256):
        install_file(tmp_path / "w", WeightsSource(known.source), store)
    assert not store.records()


def test_records_survive_a_round_trip_and_the_first_one_stays(store):
    store.remember([record()])
    store.remember(
        [WeightsRecord(**{**record().to_dict(), "recorded": "later"}), record("cd" * 32, "hub:a/b")]
    )
    assert store.record(SOURCE.location) == record()
    assert [each.source for each in store.records()] == ["hub:a/b", SOURCE.location]


def test_one_refused_record_writes_none(store):
    store.remember([record()])
    with pytest.raises(WeightsError, match=f"{'cd' * 32}, but {'ab' * 32} since 2026"):
        store.remember([record("ef" * 32, "hub:a/b"), record("cd" * 32)])
    assert store.records() == (record(),)


def test_two_writers_lose_nothing(store):
    def write(number: int) -> None:
        store.remember([record(source=f"hub:a/{number}")])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(store.records()) == 8


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 2, "weights": []}', '{"format": 1}', '{"format": 1, "weights": [3]}',
             '{"format": 1, "weights": [{"source": "hub:a/b"}]}']
)  # fmt: skip
def test_a_damaged_registry_is_an_error_not_an_empty_one(store, text):
    store.folder.mkdir()
    store.registry_file.write_text(text)
    with pytest.raises(WeightsError):
        store.records()


@pytest.mark.parametrize(
    ("key", "value"),
    [("sha256", "AB" * 32), ("sha256", "../x"), ("size", -1), ("size", True), ("size", "7"), ("source", None),
     ("license", 3), ("colour", "red")],
)  # fmt: skip
def test_a_record_that_makes_no_sense_is_refused(key, value):
    with pytest.raises(WeightsError):
        WeightsRecord.from_dict({**record().to_dict(), key: value})
    assert WeightsRecord.from_dict(json.loads(json.dumps(record().to_dict()))) == record()


def test_an_empty_store_knows_nothing_and_makes_no_folder(store, tmp_path):
    assert store.records() == ()
    assert store.find("ab" * 32) is None
    assert locate_weights(WeightsSource("file:gone"), tmp_path, store=store) is None
    assert not store.folder.exists()
