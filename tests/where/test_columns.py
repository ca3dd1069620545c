"""Columns in memory answer for every item what ``holds`` answers for one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from conditions import VALUES, conditions, items
from galleries import mixed
from hypothesis import given, settings

from cbir.errors import ColumnError, WhereError
from cbir.items.where import And, OneOf, Or, holds, parse_where
from cbir.types import Item
from indexer import Index, NewImage
from indexer.asking import column
from indexer.asking.columns import Columns
from indexer.catalog import Catalog
from indexer.writing import edits

ASKED = (
    "view = 'MLO'",
    "view != 'MLO'",
    "view is null",
    "age is null or age > 60",
    "age between 30 and 60 and not site in ('s1', 's2')",
    "age >= 1000",
    "Modality = 'MG' and label = 'l1'",
    '"größe ""x""" > 10',
    "mixed = 4",
    "mixed != 4",
    "mixed = '5' or mixed = true",
    "mixed < 30",
    "mixed >= '3'",
    "path in ('/g/7', '/g/8', '/g/9') or group = 'g5'",
    "frame = 0",
    "id = 'nobody'",
)


@pytest.fixture(scope="module")
def index(tmp_path_factory) -> Iterator[Index]:
    with Index.open(mixed(tmp_path_factory.mktemp("columns") / "mixed.index")) as opened:
        yield opened


def of(index: Index, text: str) -> list[str]:
    ids = [item.id for item in index.items()]
    mask = index._columns.mask(parse_where(text))
    return [item_id for item_id, is_there in zip(ids, mask, strict=True) if is_there]


@pytest.mark.parametrize("text", ASKED)
def test_a_condition_is_answered_for_all_items_as_for_one(index, text):
    condition = parse_where(text)
    assert of(index, text) == [item.id for item in index.items() if holds(condition, item)]


@pytest.mark.parametrize("n_asked", [0, 1, 3, 1000])
def test_items_are_found_by_their_ids_few_or_many(index, n_asked):
    ids = [item.id for item in index.items()]
    asked = frozenset([*ids[:: max(1, len(ids) // max(1, n_asked))][:n_asked], "", "nobody", "~"])
    assert index._columns.among(asked).tolist() == [item_id in asked for item_id in ids]


def test_the_rows_of_items_are_all_their_parts(index):
    columns = index._columns
    mask = columns.mask(parse_where("path in ('/g/5', '/g/6')"))
    assert columns.rows_of(mask, index._embeddings.n_rows).sum() == 4


FULL = Item("", "", 0, "A", "B", {name: values[0] for name, values in VALUES.items()})


def catalog_of(gallery: Sequence[Item]) -> Catalog:
    """What is known of every other item is what its file says, but for one column."""
    connection = edits.open_scratch(Path(":memory:"), new=True)
    for row, item in enumerate(gallery):
        content, said = hashlib.sha256(b"%d" % row).hexdigest(), dict(item.metadata)
        info = {name: said.pop(name) for name in list(said) if row % 2 and name != "view"}
        vector = np.ones(1, np.float32)
        edits.put_image(connection, [row], NewImage(content, 0, vector, b"", content, info=info))
        edits.set_items(connection, f"/g/{row}", [(0, row)], edits.Annotations(item.label, item.group, said))
    return Catalog(connection)


@given(items(), conditions())
@settings(max_examples=50)
def test_columns_and_holds_say_the_same_of_any_items(gallery, condition):
    catalog = catalog_of([FULL, *gallery])
    columns = Columns(catalog, "the gallery")
    assert columns.mask(condition).tolist() == [holds(condition, item) for item in catalog.items()]
    catalog.close()


def test_items_are_paged_without_a_seam(index, monkeypatch):
    monkeypatch.setattr(column, "_PAGE", 5)
    paged = Columns(index._catalog, "paged")
    for text in ASKED:
        condition = parse_where(text)
        assert paged.mask(condition).tolist() == index._columns.mask(condition).tolist()
    assert paged.names() == index._columns.names()


def test_a_joined_condition_of_nothing_is_answered(index):
    n_items = len(index)
    assert index._columns.mask(And(())).sum() == n_items
    assert index._columns.mask(Or(())).sum() == 0
    assert index._columns.mask(OneOf("view", ())).sum() == 0


def test_a_column_that_no_item_has_is_refused_with_the_one_that_was_meant(index):
    with pytest.raises(ColumnError, match="has no column 'vew'; did you mean view"):
        of(index, "age > 50 or vew = 'MLO'")
    with pytest.raises(ColumnError, match="has no column 'zzzz'; there are Modality, age, frame, "):
        of(index, "zzzz is null")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("age = '50'", "Column 'age' holds numbers, and '50' is text"),
        ("age in (50, '60')", "'60' is text"),
        ("view = 5", "Column 'view' holds text, and 5 is a number"),
        ("view > true", "and true is true or false"),
        ("frame between '0' and '1'", "Column 'frame' holds numbers"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_the_column(index, text, words):
    with pytest.raises(WhereError, match=words):
        of(index, text)


def test_a_column_of_mixed_kinds_takes_all_of_them(index):
    assert {kind for info in index.columns() if info.name == "mixed" for kind in info.kinds} == {
        "number", "text", "truth",
    }  # fmt: skip


def test_columns_are_described(index):
    found = {info.name: info for info in index.columns()}
    assert list(found)[:5] == ["id", "path", "frame", "label", "group"]
    assert found["id"].n_values == len(index)
    view = found["view"]
    assert view.n_known == sum(item.metadata["view"] is not None for item in index.items())
    assert dict(view.most) == {
        value: sum(item.metadata["view"] == value for item in index.items()) for value in ("CC", "MLO")
    }
    assert len(found["path"].most) == 8
