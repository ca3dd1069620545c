"""Refinements over an index: equal to the formulas over what a query may find, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import naive
import numpy as np
import pytest
from gallery import add, fill_model, gallery, image_of, record_of, spec_of, unit_rows

from cbir.errors import SpecError
from cbir.items.where import parse_where
from cbir.types import Query
from indexer import Index, IndexWriter
from indexer.refine import REFINEMENTS, refined_search
from indexer.refine.database_augmentation import DatabaseAugmentation
from indexer.refine.query_expansion import QueryExpansion
from indexer.refine.reciprocal import Reciprocal

N, DIM = 24, 5
ROWS = unit_rows(N, DIM, 7)
ROWS[5] = ROWS[4]  # a tie in every list
ALL = (DatabaseAugmentation(3, 2.0), QueryExpansion(3, 2.0), Reciprocal(4, 2, 0.3))


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    with Index.open(gallery(tmp_path_factory.mktemp("refine") / "g.index", ROWS)) as opened:
        yield opened


@pytest.fixture(scope="module")
def names(index) -> list[str]:
    """Ids by row."""
    ids = {item.path: item.id for item in index.items()}
    return [ids[f"/g/{row}"] for row in range(N)]


def stranger(index: Index, seed: int = 1, **said: object) -> Query:
    return Query(unit_rows(1, DIM, seed)[0], index.fingerprint, **said)


def expanded(query, allowed, names):
    near = naive.order(query, ROWS, allowed, names)[:3]
    return naive.drawn(query, [ROWS[row] for row in near], 2.0)


def augmented(row, allowed, names):
    others = [each for each in naive.order(ROWS[row], ROWS, allowed, names) if each != row][:3]
    return naive.drawn(ROWS[row], [ROWS[each] for each in others], 2.0)


def expected(kind, query, allowed, names) -> dict[str, float]:
    """Every allowed item's score."""
    if kind is QueryExpansion:
        asked = expanded(query, allowed, names)
        return {names[row]: float(ROWS[row] @ asked) for row in allowed}
    if kind is DatabaseAugmentation:
        return {names[row]: float(augmented(row, allowed, names) @ query) for row in allowed}
    points = np.vstack([query[np.newaxis], ROWS[naive.order(query, ROWS, allowed, names)]]).astype(float)
    distances = np.maximum(2 - 2 * points @ points.T, 0)
    np.fill_diagonal(distances, 0)
    found = naive.reciprocal(distances, 4, 2, 0.3)
    order = naive.order(query, ROWS, allowed, names)
    return {names[row]: 1 - each for row, each in zip(order, found, strict=True)}


@pytest.mark.parametrize("refinement", ALL, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("bounds", ["all", "among", "where", "group", "item"])
def test_hits_are_those_of_the_formula_over_what_may_be_found(index, names, refinement, bounds):
    allowed, more, query = list(range(N)), {}, stranger(index, group="g2")
    if bounds == "among":
        allowed = allowed[::2]
        more["among"] = frozenset(names[row] for row in allowed)
    if bounds == "where":
        allowed = [row for row in allowed if row % 3 != 1]
        more["where"] = parse_where("label in ('l0', 'l2')")
    if bounds == "group":  # of rows 8 to 11
        allowed = [row for row in allowed if row // 4 != 2]
        more["exclude_same_group"] = True
    if bounds == "item":
        query, allowed = index.query(names[9]), [row for row in allowed if row != 9]
    scores = expected(type(refinement), np.asarray(query.embedding), allowed, names)
    hits = refined_search(index, [query], N, [refinement], **more)[0]
    assert {hit.item.id: hit.score for hit in hits} == pytest.approx(scores, abs=2e-6)
    assert [(hit.rank, hit.item.id) for hit in hits] == [
        (rank, hit.item.id)
        for rank, hit in enumerate(sorted(hits, key=lambda hit: (-hit.score, hit.item.id)), start=1)
    ]
    assert refined_search(index, [query], 4, [refinement], **more)[0] == hits[:4]


@pytest.mark.parametrize("refinements", [ALL[:1], ALL[1:2], ALL[2:], ALL], ids=str)
def test_who_is_left_out_changes_nothing_wherever_their_images_lie(tmp_path, refinements):
    """The same gallery twice, the excluded patient's images in quite another place the second time."""
    answers = []
    for number, place in enumerate((ROWS[8:12], -ROWS[8:12])):
        rows = ROWS.copy()
        rows[8:12] = place
        with Index.open(gallery(tmp_path / f"{number}.index", rows)) as index:
            query = stranger(index, group="g2")
            found = refined_search(index, [query], 20, refinements, exclude_same_group=True)[0]
            leaking = refined_search(index, [query], 20, refinements)[0]
            answers.append(([(hit.item.path, hit.score) for hit in found], [hit.score for hit in leaking]))
    assert answers[0][0] == answers[1][0]
    assert len(answers[0][0]) == 20
    assert answers[0][1] != answers[1][1]


def test_without_a_refinement_it_is_the_plain_search(index):
    queries = [stranger(index), stranger(index, 2)]
    assert refined_search(index, queries, 7, []) == index.search_many(queries, 7)


def test_queries_together_are_answered_as_each_alone(index, names):
    queries = [stranger(index), index.query(names[3]), stranger(index, 2, group="g1")]
    together = refined_search(index, queries, 5, ALL)
    assert together == [refined_search(index, [query], 5, ALL)[0] for query in queries]


def test_the_order_in_which_they_are_named_does_not_matter(index):
    assert len({str(refined_search(index, [stranger(index)], 5, given)) for given in (ALL, ALL[::-1])}) == 1


def test_at_lambda_1_the_plain_order_stays(index):
    query = stranger(index)
    plain = [hit.item.id for hit in index.search(query, 10)]
    assert [hit.item.id for hit in refined_search(index, [query], 10, [Reciprocal(lambda_=1.0)])[0]] == plain


def test_a_refinement_says_how_many_hits_it_ranks(index):
    shallow = Reciprocal(depth=5)
    with pytest.raises(SpecError, match=r"ranks the 5 best hits anew, and 9 are asked.*reciprocal:depth=9"):
        refined_search(index, [stranger(index)], 9, [shallow])
    with pytest.raises(SpecError, match="augment ranks the 5 best hits anew, and 9 are asked"):
        refined_search(index, [stranger(index)], 9, [DatabaseAugmentation(depth=5)])
    with pytest.raises(SpecError, match=r"ask for fewer\.$"):
        refined_search(index, [stranger(index)], 5000, [shallow])


@pytest.mark.parametrize("name", REFINEMENTS)
@pytest.mark.parametrize("n", [0, 1, 2])
def test_small_galleries_are_answered(tmp_path, name, n):
    with Index.open(gallery(tmp_path / "small.index", unit_rows(n, DIM))) as index:
        hits = refined_search(index, [stranger(index)], 10, [REFINEMENTS[name]()])[0]
        assert len(hits) == n
        if n:
            alone = index.query(hits[0].item.id)
            assert len(refined_search(index, [alone], 10, [REFINEMENTS[name]()])[0]) == n - 1


@pytest.mark.parametrize("name", REFINEMENTS)
def test_copies_and_hits_that_point_the_other_way_are_answered(tmp_path, name):
    one = unit_rows(1, DIM)[0]
    rows = np.stack([one, one, one, -one, -one, unit_rows(1, DIM, 2)[0]])
    with Index.open(gallery(tmp_path / "copies.index", rows)) as index:
        hits = refined_search(index, [Query(one, index.fingerprint)], 6, [REFINEMENTS[name]()])[0]
    assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5, 6]
    assert {hit.item.path for hit in hits[:3]} == {"/g/0", "/g/1", "/g/2"}
    assert all(-1 <= hit.score <= 1 for hit in hits)


@pytest.fixture(scope="module")
def in_parts(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("parts") / "parts.index"
    rows = unit_rows(10, DIM, 9)
    with IndexWriter.create(path, spec_of(DIM), fill_model) as writer:
        for number, part in enumerate((rows[:1], rows[1:4], rows[4:6], rows[6:])):
            boxes = tuple((10 * each, 0, 10, 20) for each in range(len(part)))
            image = image_of(f"/p/{number}", part, boxes=boxes)
            writer.add_file(record_of(f"/p/{number}", f"/p/{number}"), [image])
        writer.commit()
    return path


def best(one: np.ndarray, other: np.ndarray) -> float:
    return float((np.atleast_2d(one) @ np.atleast_2d(other).T).max())


def test_each_part_of_a_query_is_drawn_towards_the_part_most_like_it(in_parts):
    with Index.open(in_parts) as index:
        query = replace(stranger(index), embedding=unit_rows(2, DIM, 3))
        first = index.search(query, 2)
        found = [np.atleast_2d(index.query(hit.item.id).embedding) for hit in first]
        drawn = np.stack(
            [
                naive.drawn(part, [rows[np.argmax(rows @ part)] for rows in found], 2.0)
                for part in query.embedding
            ]
        )
        hits = refined_search(index, [query], 4, [QueryExpansion(2, 2.0)])[0]
        for hit in hits:
            parts = np.atleast_2d(index.query(hit.item.id).embedding)
            assert hit.score == pytest.approx(best(parts, drawn), abs=1e-6)
            assert hit.box is not None


def test_items_in_parts_are_as_alike_as_their_most_alike_parts(in_parts):
    with Index.open(in_parts) as index:
        query = replace(stranger(index), embedding=unit_rows(2, DIM, 3))
        plain = index.search(query, 4)
        points = [query.embedding, *(index.query(hit.item.id).embedding for hit in plain)]
        cosines = np.array([[best(one, other) for other in points] for one in points])
        np.fill_diagonal(cosines, 1)
        scores = 1 - np.array(naive.reciprocal(2 - 2 * cosines, 2, 2, 0.3))
        hits = {hit.item.id: hit for hit in refined_search(index, [query], 4, [Reciprocal(2, 2, 0.3)])[0]}
    for hit, score in zip(plain, scores, strict=True):
        assert hits[hit.item.id].score == pytest.approx(score, abs=1e-6)
        assert hits[hit.item.id].box == hit.box


def test_items_in_parts_are_not_augmented(in_parts):
    with (
        Index.open(in_parts) as index,
        pytest.raises(SpecError, match="augment takes items of one embedding"),
    ):
        refined_search(index, [stranger(index)], 4, [DatabaseAugmentation()])


def test_more_parts_than_can_be_compared_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("indexer.refine.reciprocal._MAX_PARTS", 5)
    with IndexWriter.create(tmp_path / "many.index", spec_of(DIM), fill_model) as writer:
        for number in range(2):
            writer.add_file(
                record_of(f"/m/{number}", f"/m/{number}"),
                [image_of(f"/m/{number}", unit_rows(4, DIM, number))],
            )
        add(writer, "/m/whole", unit_rows(1, DIM, 5)[0])
        writer.commit()
    with Index.open(tmp_path / "many.index") as index:
        with pytest.raises(SpecError, match="compares 5 embeddings at most, and the 3 best hits have 9"):
            refined_search(index, [stranger(index)], 2, [Reciprocal()])
        assert refined_search(index, [stranger(index)], 1, [Reciprocal(depth=1)])
