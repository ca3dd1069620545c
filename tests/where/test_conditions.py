"""Conditions: their text, what they mean (SQLite is the oracle), and what is said of a wrong one."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from dataclasses import replace

import pytest
from conditions import COLUMNS, conditions, items
from hypothesis import given, settings
from hypothesis import strategies as st

from cbir.errors import WhereError
from cbir.items.where import (
    And,
    Compare,
    Condition,
    Known,
    OneOf,
    Or,
    holds,
    opposite,
    parse_where,
    value_of,
    written,
)
from cbir.types import Item

MEANINGS = {
    "view = 'MLO'": Compare("view", "=", "MLO"),
    "age==50": Compare("age", "=", 50),
    "age<>-2.5": Compare("age", "!=", -2.5),
    "age >= .5e3": Compare("age", ">=", 500.0),
    "implant != TRUE": Compare("implant", "!=", True),
    "density In ('C', 'D')": OneOf("density", ("C", "D")),
    "density NOT IN ('it''s')": OneOf("density", ("it's",), negated=True),
    "age between 40 and 50": And((Compare("age", ">=", 40), Compare("age", "<=", 50))),
    "age not between 40 and 50": Or((Compare("age", "<", 40), Compare("age", ">", 50))),
    "view is null": Known("view", negated=True),
    "view is not null": Known("view"),
    '"a ""b"" and c" = 1': Compare('a "b" and c', "=", 1),
    "größe.x-1 = 1": Compare("größe.x-1", "=", 1),
    "android = 1 and notes = 2": And((Compare("android", "=", 1), Compare("notes", "=", 2))),
    "a = 1 or b = 2 and c = 3": Or((Compare("a", "=", 1), And((Compare("b", "=", 2), Compare("c", "=", 3))))),
    "(a = 1 or b = 2) and c = 3": And(
        (Or((Compare("a", "=", 1), Compare("b", "=", 2))), Compare("c", "=", 3))
    ),
    "not (a < 1 and not b is null)": Or((Compare("a", ">=", 1), Known("b", negated=True))),
    "not not not a > 1": Compare("a", "<=", 1),
}

MISTAKES = {
    "": "empty",
    "density in (": 'after "density in (" a value is missing, at the end',
    "density in ( )": 'after "density in (" a value is missing, at character 14',
    "view = MLO": 'after "view =" a value is missing (text stands in single quotes), at character 8',
    'view = "MLO"': "single quotes",
    "date > 2024-01-05": "single quotes",
    "view = 'MLO": "the quote at character 8 is not closed",
    "= 3": "at the start a column is missing",
    "a = 1 and": 'after "a = 1 and" a column is missing, at the end',
    "age": "a comparison is missing",
    "a = 1 b = 2": '"and" or "or" is missing, at character 7',
    "a = 1; drop": '"and" or "or" is missing, at character 6',
    "(a = 1": "a closing parenthesis is missing",
    "a = 1)": "a parenthesis is closed that was not opened",
    "a in ('x' 'y')": "a comma or a closing parenthesis is missing, at character 11",
    "a = 1e999": "beyond all numbers",
    "(" * 60 + "a = 1": "60 parentheses",
    "a = '" + "x" * 200_000: "200005 characters",
    "a = \x1b": "a value is missing",
    "x" * 90 + " = 1 \x1b]0;": 'after "…' + "x" * 26 + ' = 1"',
}


@pytest.mark.parametrize("text", MEANINGS)
def test_a_text_means_its_condition(text):
    assert parse_where(text) == MEANINGS[text]
    assert parse_where(f"\n ( {text}) ") == MEANINGS[text]


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_in_a_line_with_its_place(text):
    with pytest.raises(WhereError) as caught:
        parse_where(text)
    assert MISTAKES[text] in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


@given(conditions())
@settings(max_examples=50)
def test_a_condition_written_and_read_is_itself(condition):
    assert parse_where(written(condition)) == condition


@given(st.text(alphabet="ab'\"()=<>!,.1-e and or not in is null between\n\x00é", max_size=40))
@settings(max_examples=300)
def test_any_text_is_a_condition_or_a_mistake(text):
    with contextlib.suppress(WhereError):
        condition = parse_where(text)
        assert parse_where(written(condition)) == condition


def renamed(condition: Condition) -> Condition:
    """With c0, c1 … for its columns."""
    if isinstance(condition, And | Or):
        return replace(condition, parts=tuple(map(renamed, condition.parts)))
    return replace(condition, column=f"c{list(COLUMNS).index(condition.column)}")


ID = f"c{list(COLUMNS).index('id')}"


@given(items(), conditions(), st.booleans())
@settings(max_examples=100)
def test_a_condition_holds_where_sql_says_so(gallery, condition, negated):
    sql = written(renamed(condition))  # SQL has more keywords
    sql = f"not ({sql})" if negated else sql
    names = ", ".join(f"c{number}" for number in range(len(COLUMNS)))
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE items ({names})")
    marks = ", ".join("?" * len(COLUMNS))
    for item in gallery:
        values = [value_of(item, name) for name in COLUMNS]
        connection.execute(f"INSERT INTO items VALUES ({marks})", values)  # noqa: S608 - the columns of this test
    told = connection.execute(f"SELECT {ID} FROM items WHERE {sql} ORDER BY {ID}").fetchall()  # noqa: S608 - likewise
    connection.close()
    condition = parse_where(f"not ({written(condition)})" if negated else written(condition))
    assert sorted(item.id for item in gallery if holds(condition, item)) == [row[0] for row in told]


@given(items(6), conditions())
@settings(max_examples=50)
def test_a_condition_and_its_opposite_never_both_hold(gallery, condition):
    assert opposite(opposite(condition)) == condition
    assert not any(holds(condition, item) and holds(opposite(condition), item) for item in gallery)


def test_a_value_is_compared_with_its_own_kind_alone():
    def item(value):
        return Item("i", "/g", metadata={"x": value})

    assert [value for value in (1, 1.0, True, "1", None) if holds(parse_where("x = 1"), item(value))] == [
        1,
        1.0,
    ]
    assert [value for value in ("1", True, 2, 1) if holds(parse_where("x != 1"), item(value))] == [
        "1",
        True,
        2,
    ]
    assert not holds(parse_where("x < 2"), item("1"))
    assert not holds(parse_where("x >= 2"), item("1"))
    assert holds(parse_where("x = true"), item(True))
    assert not holds(parse_where("x = true"), item(1))


def test_what_is_not_a_number_is_unknown():
    item = Item("i", "/g", metadata={"x": float("nan")})
    assert holds(parse_where("x is null"), item)
    assert not holds(parse_where("x != 1 or x in (1) or x not in (1) or x >= 1"), item)


def test_dates_in_text_are_in_order():
    item = Item("i", "/g", metadata={"date": "2024-03-01"})
    assert holds(parse_where("date between '2024-02-28' and '2024-12-31'"), item)


def test_conditions_made_by_hand_need_no_parser():
    code = "from cbir.items.where import Compare, holds; import sys; sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
