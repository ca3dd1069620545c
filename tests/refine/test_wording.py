from __future__ import annotations

import pytest

from cbir.errors import SpecError
from indexer.refine import REFINEMENTS, parse_grid, parse_refinements, wording
from indexer.refine.database_augmentation import DatabaseAugmentation
from indexer.refine.query_expansion import QueryExpansion
from indexer.refine.reciprocal import Reciprocal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("expand", QueryExpansion()),
        ("expand:k=2", QueryExpansion(k=2)),
        ("expand:k=2,alpha=0.5", QueryExpansion(2, 0.5)),
        ("augment:alpha=1,depth=50", DatabaseAugmentation(alpha=1, depth=50)),
        ("reciprocal:k1=10,k2=3,lambda=.5,depth=40", Reciprocal(10, 3, 0.5, 40)),
    ],
)
def test_a_text_is_a_refinement(text, expected):
    assert parse_refinements([text]) == (expected,)


@pytest.mark.parametrize("name", REFINEMENTS)
def test_what_a_refinement_says_of_itself_is_read_as_it_again(name):
    refinement = REFINEMENTS[name]()
    assert parse_refinements([wording(refinement)]) == (refinement,)
    assert wording(refinement).startswith(f"{name}:")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["expnd"], "no refinement 'expnd'; did you mean expand"),
        ([""], "no refinement ''; there are augment, expand, reciprocal"),
        (["expand:apha=3"], "expand has no setting 'apha'; did you mean alpha"),
        (["reciprocal:lambda_=3"], "reciprocal has no setting 'lambda_'; did you mean lambda"),
        (["expand:k=2.5"], r"expand: k is '2\.5'; it takes a whole number"),
        (["expand:alpha=much"], "expand: alpha is 'much'; it takes a number"),
        (["expand:k"], "expand: k is ''; it takes a whole number"),
        (["expand:k=0"], "expand: k is 0; use a number from 1 to 2000"),
        (["expand:alpha=nan"], "expand: alpha is nan; use a number from 0"),
        (["augment:alpha=-1"], "augment: alpha is -1"),
        (["augment:depth=1000000"], r"augment: depth is 1e\+06; use a number from 1 to 2000"),
        (["reciprocal:lambda=2"], "reciprocal: lambda is 2; use a number from 0 to 1"),
        (["expand", "expand:k=3"], "expand is asked for twice"),
    ],
)
def test_what_makes_no_sense_is_named(texts, message):
    for parse in (parse_refinements, parse_grid):
        with pytest.raises(SpecError, match=message):
            parse(texts)


def test_a_grid_tries_the_values_given_and_its_own_for_the_rest():
    assert parse_grid(["expand:k=2/5"]) == [
        [QueryExpansion(k, alpha) for k in (2, 5) for alpha in QueryExpansion.grid["alpha"]]
    ]
    assert parse_grid(["reciprocal:k1=5,k2=1,lambda=.1/.2", "augment:k=1,alpha=0,depth=9"]) == [
        [DatabaseAugmentation(1, 0, 9)],
        [Reciprocal(5, 1, 0.1), Reciprocal(5, 1, 0.2)],
    ]


@pytest.mark.parametrize("name", REFINEMENTS)
def test_a_refinements_own_grid_can_be_tried(name):
    (tried,) = parse_grid([name])
    assert len(tried) == len(set(tried)) > 1
