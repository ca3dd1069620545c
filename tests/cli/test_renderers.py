from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path

import pytest

from cbir.printable import printable
from cbir.types import Hit, Item
from cli.renderers.answer import Answer
from cli.renderers.csv_hits import render_csv, render_paths
from cli.renderers.html import render_html
from cli.renderers.json_hits import render_json
from cli.renderers.table import columns, render_table

NOT_UTF8 = "/x/" + os.fsdecode(b"caf\xe9.png")
HOSTILE = "/x/<script>alert(1)</script>\x1b[2J\u202e.png"


@pytest.fixture
def answer() -> Answer:
    items = (
        Item("a" * 16, "/x/图像.png", 0, "benign", "p1", {"side": "L", "birads": 2}),
        Item("b" * 16, NOT_UTF8, 3, None, None, {}),
        Item("c" * 16, HOSTILE, 0, '"><img src=x onerror=alert(1)>', "g" * 32, {"<b>": "http://x.example/"}),
    )
    hits = tuple(Hit(rank, 1.0 - rank / 8, item) for rank, item in enumerate(items, 1))
    seconds = {"open": 0.0121, "decode": 0.030, "embed": 0.055, "search": 0.0006, "total": 0.412}
    return Answer(
        query="/q/<script>.png", query_item=None, query_label=None, k=10, index=Path("/i/lesions.index"),
        fingerprint="f" * 64, generation=7, n_items=322, hits=hits, seconds=seconds, notes=("frame 2 of 3",),
        query_thumbnail=b"\xff\xd8", thumbnails={"a" * 16: b"\xff\xd8\xff"},
    )  # fmt: skip


def test_the_json_document_has_exactly_the_documented_fields(answer):
    document = json.loads(render_json(answer))
    assert (document["cbir"], document["version"]) == ("hits", 1)
    asked = ["query", "k", "where", "refine"]
    assert list(document) == ["cbir", "version", *asked, "index", "rerank", "hits", "labels", "seconds"]
    assert list(document["query"]) == ["text", "item", "label", "notes", "roi", "like", "unlike"]
    assert list(document["index"]) == ["name", "fingerprint", "generation", "items"]
    fields = ["rank", "score", "id", "path", "frame", "label", "group", "metadata", "box"]
    assert list(document["hits"][0]) == fields
    assert list(document["seconds"]) == ["open", "decode", "embed", "search", "total"]


def test_json_brings_every_file_name_back(answer):
    paths = [hit["path"] for hit in json.loads(render_json(answer))["hits"]]
    assert paths == [hit.item.path for hit in answer.hits]
    assert os.fsencode(paths[1]) == b"/x/caf\xe9.png"
    assert render_json(answer).isascii()


def test_csv_has_the_fixed_columns_then_the_metadata(answer):
    header, *rows = csv.reader(io.StringIO(render_csv(answer)))
    assert header == [
        "rank",
        "score",
        "id",
        "path",
        "frame",
        "label",
        "group",
        "box",
        "<b>",
        "birads",
        "side",
    ]
    assert rows[0] == ["1", "0.875000", "a" * 16, "/x/图像.png", "0", "benign", "p1", "", "", "2", "L"]
    assert rows[1][3] == NOT_UTF8


def test_paths_are_the_bytes_of_the_file_system(answer):
    assert os.fsencode(render_paths(answer)).splitlines()[1] == b"/x/caf\xe9.png"


def test_the_table_shows_what_there_is_and_hides_empty_columns(answer):
    header, *rows = render_table(answer).splitlines()
    assert header.split() == ["rank", "score", "label", "group", "side", "id", "path"]
    assert len(rows) == 3
    assert rows[1].endswith("[frame 3]")


def test_a_name_cant_command_the_terminal(answer):
    for text in (render_table(answer), printable("\x1b[31m\u202e\x07\r\n")):
        assert not set(text.rstrip("\n")) & set("\x1b\u202e\x07\r")


def test_printable_keeps_what_can_be_read():
    assert printable("图像 café.png") == "图像 café.png"
    assert printable("a\x1bb\x7f\udce9") == r"a\x1bb\x7f\udce9"


def test_wide_characters_take_two_columns():
    assert columns([("a", "b"), ("图", "x"), ("zz", "y")]) == "a   b\n图  x\nzz  y\n"


def test_the_page_fetches_nothing_and_runs_nothing(answer):
    page = render_html(answer)
    tags = re.findall(r"<[a-z][^>]*>", page)
    assert not [tag for tag in tags if re.search(r'\b(?:src|href|data|action)=(?!"data:)', tag)]
    assert not [tag for tag in tags if re.search(r"\bon[a-z]+=", tag)]
    assert not [each for each in ("<script", "<link", "<iframe", "@import", "url(") if each in page]
    assert "default-src 'none'" in page


def test_the_page_escapes_names_labels_and_columns(answer):
    page = render_html(answer)
    assert "&lt;script&gt;alert(1)" in page
    assert "&#34;&gt;&lt;img src=x" in page
    assert "<img src=x" not in page
    assert "<b>http" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_the_page_is_utf_8_whatever_the_names(answer):
    page = render_html(answer).encode("utf-8").decode("utf-8")
    assert "图像.png" in page
    assert r"caf\udce9.png" in page


def test_the_page_says_what_it_is_for_and_describes_its_pictures(answer):
    page = render_html(answer)
    assert "Research use only, not for diagnosis" in page
    pictures = re.findall(r"<img [^>]*>", page)
    assert len(pictures) == 2
    assert all('alt="' in each and 'src="data:image/jpeg;base64,' in each for each in pictures)
    assert '<html lang="en">' in page


def test_the_summary_is_one_line_of_counts_and_times(answer):
    assert answer.summary() == "3 hits of 322 in 0.41 s: open 12 ms, decode 30, embed 55, search 0.6"
    assert answer.labels() == {"benign": 1, '"><img src=x onerror=alert(1)>': 1}
