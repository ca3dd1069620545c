from __future__ import annotations

import csv
import io
import json
import os
import shutil
from pathlib import Path

import pytest


def hits(result) -> list[dict[str, object]]:
    return json.loads(result.stdout)["hits"]


def test_an_image_of_the_index_finds_itself_first(run, index, gallery):
    found = hits(run("search", gallery / "two.png", "-i", index, "--json"))
    assert found[0]["path"] == str(gallery / "two.png")
    assert found[0]["score"] == pytest.approx(1.0, abs=1e-5)
    assert [hit["rank"] for hit in found] == list(range(1, 9))
    assert (found[0]["label"], found[0]["group"]) == ("malignant", "p1")
    assert found[0]["metadata"]["view"] == "MLO"


def test_a_query_may_be_seen_in_five_views_on_an_index_of_one(run, index, gallery):
    plain = hits(run("search", gallery / "two.png", "-i", index, "--json"))
    averaged = hits(run("search", gallery / "two.png", "-i", index, "--json", "--tta"))
    assert averaged[0]["path"] == str(gallery / "two.png")
    assert averaged[0]["score"] < plain[0]["score"]
    assert hits(run("search", gallery / "two.png", "-i", index, "--json", "--no-tta")) == plain


def test_an_index_of_five_views_takes_queries_in_five_views(run, gallery, tiny_model, tmp_path):
    made = tmp_path / "five.index"
    run("index", "build", gallery, "-o", made, "--extractor", tiny_model / "tiny.toml", "--tta", expect=3)
    found = hits(run("search", gallery / "two.png", "-i", made, "--json"))
    assert found[0]["score"] == pytest.approx(1.0, abs=1e-5)
    one_view = hits(run("search", gallery / "two.png", "-i", made, "--json", "--no-tta"))
    assert one_view[0]["score"] < found[0]["score"]


def test_an_item_as_query_is_no_hit_of_its_own(run, index, gallery):
    first = hits(run("search", gallery / "two.png", "-i", index, "--json", "-k", 1))[0]
    result = run("search", first["id"], "-i", index, "--json")
    assert json.loads(result.stdout)["query"] == {
        "text": first["id"], "item": first["id"], "label": "malignant", "notes": [],
        "roi": None, "like": [], "unlike": [],
    }  # fmt: skip
    assert first["id"] not in {hit["id"] for hit in hits(result)}
    assert len(hits(result)) == 7


def test_the_same_group_can_be_left_out(run, index, gallery):
    found = hits(run("search", gallery / "one.png", "-i", index, "--json", "--exclude-same", "group"))
    assert "p1" not in {hit["group"] for hit in found}
    assert len(found) == 5


def test_an_image_that_is_not_in_the_index_works_from_anywhere(run, index, gallery, tmp_path):
    shutil.copy(gallery / "three.png", tmp_path / "elsewhere.png")
    (found,) = hits(run("search", "elsewhere.png", "-i", index, "--json", "-k", 1))
    assert found["path"] == str(gallery / "three.png")


def test_the_table_goes_to_stdout_and_the_rest_to_stderr(run, index, gallery):
    result = run("search", gallery / "one.png", "-i", index, "-k", 3)
    header, *rows = result.stdout.splitlines()
    assert header.split() == ["rank", "score", "label", "group", "view", "id", "path"]
    assert len(rows) == 3
    summary, labels = result.stderr.splitlines()
    assert summary.startswith("3 hits of 8 in ")
    assert ": open " in summary
    assert labels.startswith("labels of the hits: ")


def test_every_format_brings_awkward_names(run, index, gallery):
    words = ("search", gallery / "one.png", "-i", index)
    on_disk = {os.fsencode(path) for path in gallery.glob("*.png")}
    on_disk -= {os.fsencode(gallery / name) for name in ("cut.png", "link.png")}
    on_disk.add(os.fsencode(gallery / "sub/under.png"))
    assert set(run(*words, "--paths").stdout_bytes.splitlines()) == on_disk
    assert {os.fsencode(str(hit["path"])) for hit in hits(run(*words, "--json"))} == on_disk
    table = run(*words, "--csv").stdout_bytes.decode("utf-8", "surrogateescape")
    assert {os.fsencode(row["path"]) for row in csv.DictReader(io.StringIO(table))} == on_disk
    assert r"caf\udce9.png" in run(*words).stdout


def test_a_file_with_a_name_that_is_not_utf_8_can_be_searched_for(run, index, gallery):
    (path,) = gallery.glob("caf*")
    assert hits(run("search", path, "-i", index, "--json"))[0]["path"] == str(path)


def test_the_page_has_the_pictures_of_query_and_hits(run, index, gallery):
    result = run("search", gallery / "three.png", "-i", index, "--html", "hits.html", "-k", 4)
    assert "wrote hits.html" in result.stderr
    page = Path("hits.html").read_text(encoding="utf-8")
    assert page.count('src="data:image/jpeg;base64,/9j/') == 5
    assert "<script" not in page
    assert "&lt;script&gt;alert(2)&lt;/script&gt;" in page


def test_a_page_that_cant_be_written_is_one_line(run, index, gallery):
    result = run("search", gallery / "one.png", "-i", index, "--html", "nowhere/hits.html", expect=1)
    assert result.stderr.splitlines()[-1].startswith("error: nowhere/hits.html")


def test_pictures_can_be_asked_for_off_a_terminal(run, index, gallery):
    pytest.importorskip("rich_pixels")
    assert "▄" in run("search", gallery / "one.png", "-i", index, "-k", 1, "--thumbs").stdout
    assert "▄" not in run("search", gallery / "one.png", "-i", index, "-k", 1).stdout


@pytest.mark.parametrize("query", ["nowhere.png", "0123456789abcdef"])
def test_a_query_that_is_neither_file_nor_item_is_an_error(run, index, query):
    result = run("search", query, "-i", index, expect=1)
    assert result.stderr.startswith(f"error: {query} is no file, and no item of index ")
    assert result.stdout == ""


def test_a_query_that_is_no_image_is_an_error_naming_the_reason(run, index, gallery):
    assert "not_an_image" in run("search", gallery / "notes.txt", "-i", index, expect=1).stderr
    assert "truncated" in run("search", gallery / "cut.png", "-i", index, expect=1).stderr


def test_a_folder_or_a_link_as_query_is_an_error(run, index, gallery):
    assert "Is a directory" in run("search", gallery, "-i", index, expect=1).stderr
    assert "symlink" in run("search", gallery / "link.png", "-i", index, expect=1).stderr


def test_leaving_out_the_group_of_a_query_without_one_is_an_error(run, index, gallery):
    name = "图像 café.png"
    run("search", gallery / name, "-i", index, "--exclude-same", "group", expect=1)


def test_no_index_is_4(run, gallery):
    result = run("search", gallery / "one.png", expect=4)
    assert "cbir.index" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_index_can_come_from_the_environment(run, index, gallery, monkeypatch):
    monkeypatch.setenv("CBIR_INDEX", str(index))
    assert len(hits(run("search", gallery / "one.png", "--json", "-k", 2))) == 2


def test_a_limit_holds_for_the_query_too(run, index, gallery):
    (gallery.parent / "big.png").write_bytes((gallery / "one.png").read_bytes() + bytes(2 * 1024 * 1024))
    result = run("search", gallery.parent / "big.png", "-i", index, "--max-file-mb", 1, expect=1)
    assert "too_large" in result.stderr
