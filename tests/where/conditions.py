"""Random items and random conditions on them, as Hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st

from cbir.items.where import And, Compare, Condition, Known, OneOf, Or
from cbir.types import Item

TEXTS = ("", "A", "B", "MLO", "it's", 'say "x"', "größe", "图", "and", "10", "2")
NUMBERS = (-3, 0, 1, 2, 10, 50, 0.5, 1.0, -2.5, 1e20)
VALUES = {"view": TEXTS, "age": NUMBERS, "implant": (True, False), "a b": TEXTS, "größe.x-1": NUMBERS}
COLUMNS = {**VALUES, "id": ("i0", "i5", "nobody"), "frame": (0, 1, 7), "label": TEXTS, "group": TEXTS}


def items(n_max: int = 12) -> st.SearchStrategy[list[Item]]:
    """Items whose every column may be missing, or None."""
    metadata = st.fixed_dictionaries(
        {}, optional={name: st.sampled_from((*values, None)) for name, values in VALUES.items()}
    )
    said = st.tuples(*[st.sampled_from((*TEXTS[1:], None))] * 2, metadata)
    return st.lists(said, min_size=1, max_size=n_max).map(
        lambda drawn: [Item(f"i{number}", f"/g/{number}", number, *each) for number, each in enumerate(drawn)]
    )


def conditions() -> st.SearchStrategy[Condition]:
    """Conditions that compare every column with values of its own kind, some that it has and some not."""
    return st.recursive(st.sampled_from(sorted(COLUMNS)).flatmap(_leaf), _joined, max_leaves=6)


def _leaf(column: str) -> st.SearchStrategy[Condition]:
    values = st.sampled_from(COLUMNS[column])
    return st.one_of(
        st.builds(Compare, st.just(column), st.sampled_from(("=", "!=", "<", "<=", ">", ">=")), values),
        st.builds(OneOf, st.just(column), st.lists(values, min_size=1, max_size=4).map(tuple), st.booleans()),
        st.builds(Known, st.just(column), st.booleans()),
    )


def _joined(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(And, several), st.builds(Or, several))
