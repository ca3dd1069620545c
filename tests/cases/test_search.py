"""Searching by case: the same as scoring every case."""

from __future__ import annotations

import numpy as np
import pytest
from gallery import add, fill_model, spec_of, unit_rows

from cbir.errors import ColumnError, ItemsError, SpecError
from cbir.items.where import parse_where
from cbir.types import Query
from indexer import Index, IndexWriter
from indexer.cases import (
    Aspect,
    CaseImage,
    CaseQuery,
    CaseSearcher,
    CaseTable,
    aspect_of,
    case_column,
    case_score,
    match_images,
)
from indexer.cases import search as case_search

DIM = 8
KINDS = [{"side": "L", "view": "CC"}, {"side": "L", "view": "MLO"}, {"side": "R"}, {}]


def made(path, rows, cases, *, known=lambda number: KINDS[number % 4], group=lambda case: f"g{case}"):
    """An index with an item a row: /g/0, /g/1 …"""
    with IndexWriter.create(path, spec_of(rows.shape[1]), fill_model) as writer:
        for number, (row, case) in enumerate(zip(rows, cases, strict=True)):
            metadata = {**known(number), "case": case}
            add(writer, f"/g/{number}", row, label=f"l{case}", group=group(case), metadata=metadata)
        writer.commit()
        writer.build_store()
    return path


def searcher_of(index: Index, column: str = "case") -> CaseSearcher:
    return CaseSearcher(index, CaseTable.of_index(index, column))


def query_of(index: Index, rows, aspects, **more) -> CaseQuery:
    images = zip(rows, aspects, strict=True)
    return CaseQuery(
        tuple(
            CaseImage(f"image {number}", Query(row, index.fingerprint, **more), aspect)
            for number, (row, aspect) in enumerate(images)
        )
    )


def scored_all(index: Index, query: CaseQuery, *, without: frozenset[str] = frozenset()):
    """Every case, scored from the embeddings of all of its items; best first."""
    table = CaseTable.of((item for item in index.items() if item.id not in without), "case")
    found = []
    for case, items in table.items.items():
        if case == query.case:
            continue
        others = np.stack([index.query(each).embedding for each in items])
        cosines = np.array([np.vecdot(others, image.query.embedding) for image in query.images])
        aspects = [aspect_of(index.item(each).metadata) for each in items]
        matches = match_images([image.aspect for image in query.images], aspects, cosines)
        score = case_score([match.score for match in matches], len(query.images))
        found.append((case, score, [(match.query, items[match.other], match.score) for match in matches]))
    return sorted(found, key=lambda each: (-each[1], each[0]))


def plain(hits):
    return [
        (hit.case, hit.score, [(pair.image, pair.item.id, pair.score) for pair in hit.pairs]) for hit in hits
    ]


@pytest.fixture
def deep(monkeypatch):
    """Lists start short, and grow."""
    monkeypatch.setattr(case_search, "_WHOLE", 0)
    monkeypatch.setattr(case_search, "_SPARE", 0)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """400 items of 90 cases, some of one image, some of many; among them equal ones."""
    rows = unit_rows(400, DIM, 3)
    rows[10:16] = rows[0]
    rng = np.random.default_rng(8)
    cases = [f"c{number:02}" for number in np.concatenate([np.arange(90), rng.integers(0, 90, 310)])]
    path = made(tmp_path_factory.mktemp("cases") / "cases.index", rows, cases)
    with Index.open(path) as opened:
        yield opened


@pytest.mark.parametrize("k", [1, 3, 20, 200])
@pytest.mark.parametrize("n_images", [1, 2, 4])
def test_the_best_cases_are_those_that_scoring_every_case_gives(index, deep, k, n_images):
    for seed in range(4):
        query = query_of(
            index, unit_rows(n_images, DIM, 50 + seed), [aspect_of(each) for each in KINDS[:n_images]]
        )
        hits = searcher_of(index).search(query, k)
        assert plain(hits) == scored_all(index, query)[:k]
        assert [hit.rank for hit in hits] == list(range(1, min(k, 90) + 1))


def test_asking_for_all_at_once_gives_the_same(index, monkeypatch):
    query = query_of(index, unit_rows(2, DIM, 5), [Aspect(), Aspect("L", "CC")])
    whole = searcher_of(index).search(query, 7)
    monkeypatch.setattr(case_search, "_WHOLE", 0)
    assert searcher_of(index).search(query, 7) == whole


def test_many_queries_are_answered_as_one_by_one(index, deep):
    searcher = searcher_of(index)
    queries = [searcher.query(case) for case in ("c00", "c01", "c89")]
    assert searcher.search_many(queries, 5) == [searcher.search(query, 5) for query in queries]


def test_a_case_of_the_index_never_finds_itself(index, deep):
    searcher = searcher_of(index)
    for case in ("c00", "c05", "c11"):
        query = searcher.query(case)
        hits = searcher.search(query, 200)
        assert len(hits) == 89
        assert case not in {hit.case for hit in hits}
        assert plain(hits) == scored_all(index, query)


def test_a_group_can_be_left_out(index, deep):
    rows = unit_rows(2, DIM, 1)
    query = query_of(index, rows, [Aspect(), Aspect()], group="gc07")
    hits = searcher_of(index).search(query, 100, exclude_same_group=True)
    assert len(hits) == 89
    assert "c07" not in {hit.case for hit in hits}
    with pytest.raises(SpecError, match="has no group"):
        searcher_of(index).search(query_of(index, rows, [Aspect()] * 2), 3, exclude_same_group=True)


def test_items_that_may_not_be_found_are_no_part_of_their_case(index, deep):
    items = list(index.items())
    among = frozenset(item.id for item in items if item.metadata.get("view") == "MLO")
    query = query_of(index, unit_rows(2, DIM, 9), [Aspect("L", "MLO"), Aspect()])
    hits = searcher_of(index).search(query, 12, among=among)
    without = frozenset(item.id for item in items) - among
    assert plain(hits) == scored_all(index, query, without=without)[:12]
    assert {pair.item.metadata["view"] for hit in hits for pair in hit.pairs} == {"MLO"}


def test_a_condition_leaves_items_out_before_anything_is_scored(index, deep):
    items = list(index.items())
    query = query_of(index, unit_rows(2, DIM, 9), [Aspect("L", "MLO"), Aspect()])
    hits = searcher_of(index).search(query, 12, where=parse_where("view = 'MLO'"))
    without = frozenset(item.id for item in items if item.metadata.get("view") != "MLO")
    assert plain(hits) == scored_all(index, query, without=without)[:12]


def test_equal_scores_are_ordered_by_case(tmp_path, deep):
    rows = np.tile(unit_rows(1, DIM), (12, 1))
    with Index.open(made(tmp_path / "i", rows, list("fedcbafedcba"), known=lambda _: {})) as index:
        hits = searcher_of(index).search(query_of(index, rows[:2], [Aspect()] * 2), 4)
        assert [hit.case for hit in hits] == list("abcd")
        assert [hit.score for hit in hits] == [hits[0].score] * 4
        assert hits[0].score == pytest.approx(1)


def test_a_case_that_lacks_a_view_is_not_favoured(tmp_path):
    query, near, less = np.eye(3, dtype=np.float32)
    both = np.stack([0.8 * query + 0.6 * less, 0.6 * near + 0.8 * less]).astype(np.float32)
    rows = np.stack([query, *both])
    kinds = [KINDS[0], KINDS[0], KINDS[1]]
    with Index.open(made(tmp_path / "i", rows, ["a", "b", "b"], known=kinds.__getitem__)) as index:
        asked = query_of(index, [query, near], [Aspect("L", "CC"), Aspect("L", "MLO")])
        first, second = searcher_of(index).search(asked, 5)
    assert (first.case, second.case) == ("b", "a")
    assert first.score == pytest.approx((0.8 + 0.6) / 2)
    assert second.score == pytest.approx(1.0 / 2)
    assert [len(hit.pairs) for hit in (first, second)] == [2, 1]


def test_a_hit_says_what_its_items_agree_in(tmp_path):
    rows = unit_rows(4, DIM)
    with IndexWriter.create(tmp_path / "i", spec_of(DIM), fill_model) as writer:
        for number, (case, label) in enumerate([("a", "1"), ("a", "2"), ("b", "1"), ("b", None)]):
            add(writer, f"/g/{number}", rows[number], label=label, group=f"p{case}", metadata={"exam": case})
        writer.commit()
    with Index.open(tmp_path / "i") as index:
        hits = searcher_of(index, "exam").search(query_of(index, rows[:1], [Aspect()]), 5)
    assert {hit.case: (hit.label, hit.group, hit.n_items) for hit in hits} == {
        "a": (None, "pa", 2),
        "b": ("1", "pb", 2),
    }


def test_a_query_without_images_is_refused(index):
    with pytest.raises(ItemsError, match="without an image"):
        searcher_of(index).search(CaseQuery(()), 3)
    with pytest.raises(ValueError, match="k is 0"):
        searcher_of(index).search(searcher_of(index).query("c00"), 0)


def test_the_column_is_the_first_that_is_there(tmp_path):
    rows = unit_rows(3, DIM)
    with IndexWriter.create(tmp_path / "i", spec_of(DIM), fill_model) as writer:
        add(writer, "/a", rows[0], group="p1", metadata={"study": "s1", "exam": 4.0})
        add(writer, "/b", rows[1], group="p1", metadata={"case": None})
        add(writer, "/c", rows[2])
        writer.commit()
    with Index.open(tmp_path / "i") as index:
        assert case_column(index) == "study"
        assert case_column(index, "group") == "group"
        with pytest.raises(ColumnError, match="has no column 'exams'; did you mean exam"):
            case_column(index, "exams")
        table = CaseTable.of(index.items(), "exam")
        assert CaseTable.of_index(index, "exam").items == table.items
        assert CaseTable.of_index(index, "group").items == CaseTable.of(index.items(), "group").items
        assert (list(table.items), table.n_items, table.n_left_out) == (["4"], 1, 2)
        assert table.notes() == ("2 items have no exam, and are of no case",)
        assert len(CaseTable.of(index.items(), "group").notes()) == 2
