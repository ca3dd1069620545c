from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cbir.errors import ItemsError
from classifiers.predictions import UNKNOWN, Predictions, read_predictions, write_predictions

HEAD = "path,label,group,split,p:benign,p:malignant\n"


@pytest.fixture
def table(tmp_path):
    def written(body: str, head: str = HEAD) -> Path:
        path = tmp_path / "test.csv"
        path.write_text(head + body, encoding="utf-8")
        return path

    return written


def made(folder: Path, posteriors, classes=("1", "2", "4")) -> Predictions:
    n = len(posteriors)
    return Predictions(
        paths=tuple(str(folder / f"图 {row}.png") for row in range(n)),
        labels=tuple(None if row == 1 else classes[row % len(classes)] for row in range(n)),
        groups=tuple(None if row == 2 else f"p{row // 2}" for row in range(n)),
        splits=("test",) * n,
        classes=classes,
        posteriors=np.asarray(posteriors, dtype=np.float64),
        is_ordinal=True,
    )


def test_a_table_comes_back_as_it_was_written(tmp_path):
    single = np.random.default_rng(0).dirichlet([1, 1, 1], 7).astype(np.float32)
    predictions = made(tmp_path, single)
    write_predictions(tmp_path / "test.csv", predictions)
    write_predictions(tmp_path / "test.csv", predictions)
    again = read_predictions(tmp_path / "test.csv")
    assert (again.posteriors.astype(np.float32) == single).all()
    for name in ("paths", "labels", "groups", "splits", "classes", "is_ordinal"):
        assert getattr(again, name) == getattr(predictions, name)
    assert again.codes.tolist() == [0, UNKNOWN, 2, 0, 1, 2, 0]


def test_paths_are_relative_to_the_file(table, tmp_path):
    read = read_predictions(table("a.png,benign,p1,test,1,0\nsub/b.png,,,,0.25,0.75\n"))
    assert read.paths == (str(tmp_path / "a.png"), str(tmp_path / "sub/b.png"))
    assert (read.labels, read.groups, read.splits) == (("benign", None), ("p1", None), ("test", None))
    assert read.posteriors.tolist() == [[1, 0], [0.25, 0.75]]
    assert not read.is_ordinal


def test_underflowing_probabilities_are_numbers(table):
    assert read_predictions(table("a,,,,1e-120,1.0\n")).posteriors.tolist() == [[1e-120, 1.0]]


@pytest.mark.parametrize(
    ("names", "is_ordinal"), [("p:1,p:2", True), ("p:2,p:1", False), ("p:low,p:high", False)]
)
def test_whole_numbers_in_order_are_grades(table, names, is_ordinal):
    path = table("a,.5,.5\n", f"path,{names}\n")
    assert read_predictions(path).is_ordinal is is_ordinal
    assert read_predictions(path, is_ordinal=not is_ordinal).is_ordinal is not is_ordinal


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,benign,,,nan,1", "probabilities nan, 1 with the sum nan"),
        ("a,benign,,,inf,0", "probabilities inf, 0"),
        ("a,benign,,,1.2,-0.2", "probabilities 1.2, -0.2 with the sum 1"),
        ("a,benign,,,0.5,0.6", "with the sum 1.1"),
        ("a,benign,,,,1", "Give a number a class"),
        ("a,benign,,,true,0", "Give a number a class"),
        ("a,Benign,,,1,0", "has the label 'Benign', the classes are benign, malignant"),
    ],
)
def test_a_row_that_is_no_posterior_is_refused(table, row, said):
    with pytest.raises(ItemsError, match=r"/(a|test\.csv)") as refused:
        read_predictions(table(f"b,benign,,,1,0\n{row}\n"))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_table_of_no_choice_is_refused(table):
    for head in ("path,label\n", "path,p:one\n"):
        with pytest.raises(ItemsError, match="two or more different classes"):
            read_predictions(table("a,1\n", head))


def test_what_is_no_posterior_is_not_written(tmp_path):
    with pytest.raises(ItemsError, match=r"sum 1\.5"):
        write_predictions(tmp_path / "t.csv", made(tmp_path, [[0.5, 0.5, 0.5]]))
    strange = replace(made(tmp_path, [[0.5, 0.25, 0.25]]), labels=("3",))
    with pytest.raises(ItemsError, match=r"labels \['3'\]"):
        write_predictions(tmp_path / "t.csv", strange)
    assert not list(tmp_path.iterdir())
