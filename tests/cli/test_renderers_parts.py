"""A hit on a part says where it is, in every form."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cbir.types import Hit, Item
from cli.renderers.answer import Answer
from cli.renderers.csv_hits import render_csv
from cli.renderers.html import render_html
from cli.renderers.json_hits import render_json
from cli.renderers.pictures import print_pictures
from cli.renderers.table import render_table
from cli.renderers.where import shares, shares_of_square, sides, where


def item_of(number: int, **metadata: object) -> Item:
    return Item(f"{number:016d}", f"/x/{number}.png", 0, None, None, metadata)


TALL = Hit(1, 0.9, item_of(1, width=100, height=200), (50, 100, 50, 50))
WIDE = Hit(2, 0.8, item_of(2, width=400, height=100), (0, 0, 100, 100))
WHOLE = Hit(3, 0.7, item_of(3, width=400, height=100))
UNKNOWN = Hit(4, 0.6, item_of(4), (0, 0, 10, 10))
TOO_SMALL = Hit(5, 0.5, item_of(5, width=8, height=8), (0, 0, 10, 10))
NONSENSE = Hit(6, 0.4, item_of(6, width="8; } body {", height=0), (0, 0, 10, 10))


@pytest.fixture
def answer() -> Answer:
    page = io.BytesIO()
    Image.fromarray(np.full((192, 96), 40, np.uint8)).save(page, "JPEG")
    hits = (TALL, WIDE, WHOLE, UNKNOWN, TOO_SMALL, NONSENSE)
    return Answer(
        query="q", query_item=None, query_label=None, k=9, index=Path("/i"), fingerprint="f" * 64,
        generation=1, n_items=6, hits=hits, seconds={"total": 0.1}, query_thumbnail=page.getvalue(),
        thumbnails={hit.item.id: page.getvalue() for hit in hits},
    )  # fmt: skip


def test_the_box_as_shares_of_the_image_and_of_the_square_around_it():
    assert (where(TALL), where(WHOLE)) == ("50,100,50,50", "")
    assert shares(TALL) == (0.5, 0.5, 0.5, 0.25)
    assert shares_of_square(TALL) == (0.5, 0.5, 0.25, 0.25)
    assert shares_of_square(WIDE) == (0, 0.375, 0.25, 0.25)
    for hit in (WHOLE, UNKNOWN, TOO_SMALL, NONSENSE):
        assert (sides(hit), shares(hit), shares_of_square(hit)) == (None, None, None)


def test_json_has_the_box_or_null(answer):
    boxes = [hit["box"] for hit in json.loads(render_json(answer))["hits"]]
    assert boxes == [[50, 100, 50, 50], [0, 0, 100, 100], None, *[[0, 0, 10, 10]] * 3]


def test_csv_has_the_box_in_a_column_of_its_own(answer):
    rows = list(csv.DictReader(io.StringIO(render_csv(answer))))
    assert [row["box"] for row in rows[:3]] == ["50,100,50,50", "0,0,100,100", ""]


def test_the_table_says_where_only_if_some_hit_has_a_place(answer):
    header, first, *_ = render_table(answer).splitlines()
    assert header.split() == ["rank", "score", "where", "id", "path"]
    assert "50,100,50,50" in first.split()
    whole = Answer(
        **{name: getattr(answer, name) for name in Answer.__slots__ if name != "hits"}, hits=(WHOLE,)
    )
    assert "where" not in render_table(whole)


def test_the_page_draws_the_part_where_the_images_sides_are_known(answer):
    page = render_html(answer)
    drawn = re.findall(r'<div class="part"([^>]*)></div>', page)
    assert len(drawn) == 2
    assert 'style="left:50.000%;top:50.000%;width:25.000%;height:25.000%"' in drawn[0]
    assert 'style="left:0.000%;top:37.500%;width:25.000%;height:25.000%"' in drawn[1]
    assert 'aria-label="Most similar part: x 50, y 100, 50 by 50 pixels"' in drawn[0]
    assert 'role="img"' in drawn[0]
    assert 'title="most similar part: 50,100,50,50 (x, y, width, height in pixels)"' in drawn[0]
    assert page.count("<dt>where</dt><dd>0,0,10,10</dd>") == 3
    assert "body {" not in page.split("</style>")[1].split("<dt>")[0]


def test_the_terminal_draws_the_part(answer, capsys, monkeypatch):
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    print_pictures(answer)
    assert "255;213;74" in capsys.readouterr().out
