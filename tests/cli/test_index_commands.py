from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from indexer.storage.lock import WriterLock


def account(text: str) -> dict[str, int]:
    found = dict(re.findall(r"^(found|indexed|unchanged|duplicate|skipped) +(\d+)", text, re.MULTILINE))
    return {name: int(count) for name, count in found.items()}


def info(run, index: Path) -> dict[str, object]:
    return json.loads(run("index", "info", "-i", index, "--json").stdout)


def test_every_file_found_is_in_the_account(built):
    counts = account(built[1].stderr)
    assert counts == {"found": 11, "indexed": 7, "unchanged": 0, "duplicate": 1, "skipped": 3}
    assert built[1].stdout == ""


def test_skipped_files_are_listed_with_reason_and_detail(built, gallery):
    log = built[0] / "skipped.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {(Path(line["path"]).name, line["reason"]) for line in lines} == {
        ("notes.txt", "not_an_image"), ("cut.png", "truncated"), ("link.png", "symlink"),
    }  # fmt: skip
    assert all(list(line) == ["path", "reason", "detail"] for line in lines)
    assert str(log) in built[1].stderr


def test_building_again_changes_nothing_and_needs_no_torch(run, own_index, gallery, tiny_model, monkeypatch):
    monkeypatch.setattr("cbir.extractors.build.load_resolved", lambda *_words, **_more: pytest.fail("torch"))
    words = ("index", "build", gallery, "-o", own_index, "--extractor", tiny_model / "tiny.toml")
    counts = account(run(*words, "--labels", gallery.parent / "labels.csv", expect=3).stderr)
    assert counts == {"found": 11, "indexed": 0, "unchanged": 8, "duplicate": 0, "skipped": 3}


def test_building_over_an_index_of_another_extractor_is_5(run, own_index, gallery):
    result = run("index", "build", gallery, "-o", own_index, "--extractor", "quick", expect=5)
    assert "tiny" in result.stderr
    assert "quick" in result.stderr


def test_another_frames_policy_is_another_extractor(run, own_index, gallery, tiny_model):
    words = ("index", "build", gallery, "-o", own_index, "--extractor", tiny_model / "tiny.toml")
    run(*words, "--frames", "all", expect=5)


def test_a_source_that_does_not_exist_makes_no_index(run, tiny_model):
    result = run(
        "index", "build", "nowhere", "-o", "x.index", "--extractor", tiny_model / "tiny.toml", expect=1
    )
    assert "nowhere" in result.stderr
    assert not Path("x.index").exists()


def test_an_extractor_that_does_not_exist_is_an_error_that_names_those_that_do(run, gallery):
    assert "quick" in run("index", "build", gallery, "--extractor", "inception", expect=1).stderr


def test_update_finds_new_files_from_any_folder(run, own_index, gallery, tmp_path):
    more = tmp_path / "more"
    more.mkdir()
    shutil.copy(gallery / "cut.png", more)
    data = (gallery / "one.png").read_bytes()
    (more / "new.png").write_bytes(data + b"trailing bytes make it another file")
    counts = account(run("index", "update", "more", "-i", own_index, expect=3).stderr)
    assert counts == {"found": 2, "indexed": 1, "unchanged": 0, "duplicate": 0, "skipped": 1}
    assert info(run, own_index)["n_items"] == 9
    assert str(more) in json.dumps(info(run, own_index)["sources"])


def test_update_without_sources_looks_at_the_remembered_ones(run, own_index):
    counts = account(run("index", "update", "-i", own_index, expect=3).stderr)
    assert counts["found"] == 11
    assert counts["indexed"] == 0


def test_a_run_without_skipped_files_exits_with_0_and_leaves_no_list(run, own_index, gallery):
    log = own_index / "skipped.jsonl"
    log.write_text("{}")
    run("index", "update", gallery / "sub", "-i", own_index)
    assert not log.exists()


def test_labels_without_sources_are_refused(run, own_index, gallery):
    run("index", "update", "--labels", gallery.parent / "labels.csv", "-i", own_index, expect=1)


def test_remove_takes_ids_files_and_folders(run, own_index, gallery):
    found = json.loads(run("search", gallery / "two.png", "-i", own_index, "--json", "-k", 1).stdout)["hits"][
        0
    ]
    words = (found["id"], gallery / "one.png", gallery / "sub")
    assert "removed 3 items" in run("index", "remove", *words, "-i", own_index).stderr
    assert info(run, own_index)["n_items"] == 5
    run("search", found["id"], "-i", own_index, expect=1)


def test_remove_with_one_unknown_name_removes_nothing(run, own_index, gallery):
    result = run("index", "remove", gallery / "one.png", "0123456789abcdef", "-i", own_index, expect=1)
    assert "nothing was removed" in result.stderr
    assert info(run, own_index)["n_items"] == 8


def test_a_removed_item_comes_back_with_an_update_and_compaction_keeps_the_rest(run, own_index, gallery):
    run("index", "remove", gallery / "three.png", "-i", own_index)
    assert "1 embeddings without items dropped" in run("index", "compact", "-i", own_index).stderr
    assert info(run, own_index)["n_dead_rows"] == 0
    run("index", "verify", "-i", own_index)
    counts = account(run("index", "update", "-i", own_index, expect=3).stderr)
    assert counts["indexed"] == 1


def test_info_says_what_the_index_is(run, index, gallery):
    document = info(run, index)
    assert (document["cbir"], document["version"], document["name"]) == ("info", 1, "tiny")
    assert document["n_files"] == {"indexed": 7, "duplicate": 1, "skipped": 3}
    assert document["n_labels"]["benign"] == 3
    text = run("index", "info", "-i", index).stdout
    assert "tiny" in text
    assert str(gallery) in text


def test_verify_finds_a_flipped_bit_and_says_4(run, own_index):
    assert "is sound" in run("index", "verify", "-i", own_index).stderr
    block = next((own_index / "embeddings").glob("*.f32"))
    content = bytearray(block.read_bytes())
    content[100] ^= 1
    block.write_bytes(content)
    result = run("index", "verify", "-i", own_index, expect=4)
    assert block.name in result.stdout
    assert json.loads(run("index", "verify", "-i", own_index, "--json", expect=4).stdout)["ok"] is False


def test_searching_a_damaged_index_is_4(run, own_index, gallery):
    catalog = next(own_index.glob("catalog-*.sqlite"))
    content = bytearray(catalog.read_bytes())
    content[5000] ^= 1
    catalog.write_bytes(content)
    run("search", gallery / "one.png", "-i", own_index, expect=4)


@pytest.mark.parametrize("words", [("update",), ("compact",), ("remove", "0123456789abcdef")])
def test_a_locked_index_is_an_error_that_names_the_holder(run, own_index, words):
    with WriterLock(own_index):
        result = run("index", *words, "-i", own_index, expect=1)
    assert str(os.getpid()) in result.stderr


@pytest.mark.parametrize("command", ["update", "verify", "info", "compact"])
def test_a_missing_index_is_4_for_every_command(run, command):
    run("index", command, expect=4)


def test_a_full_disk_is_one_line_and_1(run, own_index, gallery, monkeypatch):
    def full(*_words, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cli.account.write_skipped", full)
    result = run("index", "update", "-i", own_index, expect=1)
    assert result.stderr.splitlines()[-1] == "error: No space left on device"


def test_the_first_ctrl_c_keeps_what_is_embedded_and_says_how_to_go_on(run, own_index, monkeypatch):
    monkeypatch.setattr("cli.progress.ProgressDisplay.__call__", lambda *_words: True)
    result = run("index", "update", "-i", own_index, expect=130)
    assert result.stderr.endswith("interrupted, run again to go on\n")
    run("index", "verify", "-i", own_index)


def test_an_index_inside_its_own_source_is_not_found_among_the_images(run, gallery, tiny_model):
    shutil.copytree(gallery, "images", symlinks=True)
    words = ("index", "build", "images", "-o", "images/g.index", "--extractor", tiny_model / "tiny.toml")
    first = account(run(*words, expect=3).stderr)
    assert account(run(*words, expect=3).stderr)["found"] == first["found"] == 11
