"""A condition said to the engine finds what it means: checked against ``holds``, through a real shard."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_shard import FOLDER, engine, found, generation

from cbir.items.where import And, Compare, Condition, Known, OneOf, Or, holds
from cbir.types import Item
from indexer.stores.qdrant.embedded import EmbeddedEngine, build_shard
from indexer.stores.qdrant.filters import native_filter
from indexer.stores.qdrant.payload import columns_of, indexes, payloads
from indexer.stores.store import Generation

VALUES: dict[str, tuple[object, ...]] = {
    "label": ("benign", "malignant", "", None),
    "group": ("p1", "p2", "p3", None),
    "view": ("CC", "MLO", "é", "cc", None),
    "age": (0, 1, 2, 50, -3, None),
    "dose": (0.0, -0.5, 1, 1.5, 1e300, None),
    "left": (True, False, None),
    "a.b[0]": ("x", "y z", None),
    "": ("empty name", None),
    'qu"ote': ("in", None),
    "back\\slash": ("in", None),
    "mixed": ("1", 1, True, None),
    "huge": (2**53, 2**53 + 1, None),
    "odd": (float("nan"), 1.0, float("inf"), None),
    "torn": ("\ud800", "whole", None),
    "cbir": ("reserved", None),
    "thumbnail": ("reserved", None),
}
SAYABLE = {"label", "group", "view", "a.b[0]", "", "left", "age", "dose", "frame"}
TEXTS = ("label", "group", "view", "a.b[0]", "", "left")
NUMBERS = ("age", "dose", "frame")


class Shard:
    def __init__(self, made: Generation, engine: EmbeddedEngine, items: list[list[Item]]) -> None:
        self.made = made
        self.engine = engine
        self.items = items


@pytest.fixture(scope="module")
def shard(tmp_path_factory) -> Iterator[Shard]:
    dice = random.Random(5)
    items = [[made_item(dice) for _ in range(1 + (row % 7 == 0))] for row in range(120)]
    made = generation(tmp_path_factory.mktemp("filters"), items)
    asked = engine(made, build_shard(made, FOLDER))
    yield Shard(made, asked, items)
    asked.close()


def made_item(dice: random.Random) -> Item:
    said = {name: dice.choice(values) for name, values in VALUES.items()}
    said = {name: value for name, value in said.items() if value is not None or dice.random() < 0.5}
    label, group = said.pop("label", None), said.pop("group", None)
    return Item("", "/nowhere", label=label, group=group, metadata=said)


def conditions(leaves: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    def joined(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        several = st.lists(parts, min_size=1, max_size=3).map(tuple)
        return several.map(And) | several.map(Or)

    return st.recursive(leaves, joined, max_leaves=5)


def values_of(column: str) -> st.SearchStrategy[object]:
    known = [value for value in VALUES.get(column, (0, 1)) if value is not None and value == value]  # noqa: PLR0124
    return st.sampled_from(known)


def leaves_of(column: str, *, ordered: bool) -> st.SearchStrategy[Condition]:
    values = values_of(column)
    operators = ("=", "!=", "<", "<=", ">", ">=") if ordered else ("=", "!=")
    return (
        st.builds(Compare, st.just(column), st.sampled_from(operators), values)
        | st.builds(
            OneOf, st.just(column), st.lists(values, min_size=1, max_size=3).map(tuple), st.booleans()
        )
        | st.builds(Known, st.just(column), st.booleans())
    )


SAID = conditions(
    st.sampled_from(TEXTS).flatmap(lambda column: leaves_of(column, ordered=False))
    | st.sampled_from(NUMBERS).flatmap(lambda column: leaves_of(column, ordered=True))
)
ANY_VALUE = st.sampled_from(["CC", "1", 1, True, 1.0, -0.5, 2**60, float("inf"), "\ud800"])
ANY = conditions(
    st.sampled_from([*VALUES, "path", "id", "unheard of"]).flatmap(
        lambda column: (
            st.builds(Compare, st.just(column), st.sampled_from(("=", "!=", "<", ">=")), ANY_VALUE)
            | st.builds(OneOf, st.just(column), st.lists(ANY_VALUE, max_size=3).map(tuple), st.booleans())
            | st.builds(Known, st.just(column), st.booleans())
        )
    )
)


@settings(max_examples=150, deadline=None)
@given(SAID)
def test_what_can_be_said_finds_exactly_the_rows_that_it_holds_for(shard, condition):
    said = native_filter(condition, columns_of(item for sharing in shard.items for item in sharing))
    assert said is not None
    rows = found(shard.engine, shard.made, said)
    for row, sharing in enumerate(shard.items):
        if len(sharing) == 1:
            assert (row in rows) is holds(condition, sharing[0])
        else:
            assert row in rows  # several items: the caller looks at each


@settings(max_examples=150, deadline=None)
@given(ANY)
def test_what_can_not_be_said_leaves_no_row_out(shard, condition):
    said = native_filter(condition, columns_of(item for sharing in shard.items for item in sharing))
    rows = found(shard.engine, shard.made, said)
    for row, sharing in enumerate(shard.items):
        assert row in rows or not any(holds(condition, item) for item in sharing)


def test_columns_are_said_by_kind_and_doubtful_ones_are_left_out(shard):
    columns = columns_of(item for sharing in shard.items for item in sharing)
    assert set(columns) == SAYABLE
    assert {columns[name] for name in NUMBERS} == {"number"}
    assert columns["left"] == "truth"
    kinds = dict(indexes(columns, tenant="view"))
    assert kinds['"group"'] == kinds['"view"'] == {"type": "keyword", "is_tenant": True}
    assert kinds['"a.b[0]"'] == {"type": "keyword"}
    assert kinds['"age"'] == {"type": "float"}


def test_a_point_says_its_columns_flat_and_never_the_path(shard):
    said = payloads(shard.made.catalog, 0, 2, thumbnail_url="https://host/thumbnails/{id}.jpg")
    shared, alone = said
    assert shared["cbir"]["shared"] is True
    assert len(shared["cbir"]["ids"]) == 2
    assert "shared" not in alone["cbir"]
    assert alone["cbir"]["ids"] == [alone["id"]]
    assert alone["thumbnail"] == f"https://host/thumbnails/{alone['id']}.jpg"
    assert alone["label"] == shard.items[1][0].label
    assert "/g/" not in str(said)
