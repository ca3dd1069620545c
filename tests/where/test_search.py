"""A search under a condition finds what looking at every item would find, whatever the store."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from galleries import DIM, mixed
from gallery import id_of, unit_rows

from cbir.errors import ColumnError, WhereError
from cbir.items.where import holds, parse_where
from cbir.types import Hit, Item, Query
from indexer import STORES, Index
from indexer.stores import faiss as faiss_store

ASKED = (
    "view = 'MLO'",
    "age >= 50 or view is null",
    "site in ('s1', 's3') and not label = 'l2'",
    "path in ('/g/7', '/g/8', '/g/5')",
    "group = 'g2' and age > 10000",
)
QUERIES = unit_rows(4, DIM, 11)


@pytest.fixture(scope="module", params=[*sorted(STORES), "faiss in half precision", "one-shot"])
def index(request, tmp_path_factory) -> Iterator[Index]:
    store = request.param.split(maxsplit=1)[0]
    path = mixed(
        tmp_path_factory.mktemp("where") / "mixed.index", store=store if store in STORES else "exact"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faiss_store, "HALF_LIMIT", 0 if "half" in request.param else 10**9)
        with Index.open(path, resident=store != "one-shot") as opened:
            yield opened


def looked_at(index: Index, query: Query, k: int, eligible: list[Item]) -> list[tuple[str, float]]:
    """Ids and scores, from every item that may be found, one by one."""
    vectors = np.atleast_2d(query.embedding)
    scored = []
    for item in eligible:
        parts = np.atleast_2d(index.query(item.id).embedding)
        score = max(np.vecdot(parts, vector).max() for vector in vectors)
        scored.append((-min(float(score), 1.0), item.id))
    return [(item_id, -score) for score, item_id in sorted(scored)[:k]]


def told(hits: list[Hit]) -> list[tuple[str, float]]:
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    return [(hit.item.id, hit.score) for hit in hits]


@pytest.mark.parametrize("text", ASKED)
@pytest.mark.parametrize("k", [1, 7, 1000])
def test_hits_are_those_of_looking_at_every_item(index, text, k):
    condition = parse_where(text)
    eligible = [item for item in index.items() if holds(condition, item)]
    queries = [Query(vector, index.fingerprint) for vector in QUERIES]
    queries.append(Query(QUERIES, index.fingerprint))
    together = index.search_many(queries, k, where=condition)
    for query, hits in zip(queries, together, strict=True):
        assert told(hits) == looked_at(index, query, k, eligible)
        assert index.search(query, k, where=condition) == hits


@pytest.mark.parametrize("text", ASKED)
def test_an_item_its_group_and_a_list_are_left_out_under_a_condition_too(index, text):
    condition = parse_where(text)
    among = frozenset(item.id for item in index.items() if int(item.path[3:]) % 3)
    for path in ("/g/5", "/g/7", "/g/8", "/g/0"):
        query = index.query(id_of(index, path))
        group = {item.id for item in index.items() if item.group == query.group}
        copies = {index._catalog.item(each)[1] for each in group}
        eligible = [
            item
            for item in index.items()
            if holds(condition, item) and item.id in among and index._catalog.item(item.id)[1] not in copies
        ]
        hits = index.search(query, 9, where=condition, among=among, exclude_same_group=True)
        assert told(hits) == looked_at(index, query, 9, eligible)


def test_of_files_with_the_same_bytes_only_those_that_fit_are_found(index):
    query = index.query(id_of(index, "/g/0"))
    found = index.search(query, 1000, where=parse_where("path = '/g/8'"))
    assert [hit.item.path for hit in found] == ["/g/8"]
    found = index.search(
        index.query(id_of(index, "/g/7")), 1000, where=parse_where("path in ('/g/7', '/g/8')")
    )
    assert [hit.item.path for hit in found] == ["/g/8"]


def test_ties_are_in_order_of_the_ids_under_a_condition(index):
    condition = parse_where("path in ('/g/0', '/g/16', '/g/24', '/g/32', '/g/64')")
    hits = index.search(
        Query(index.query(id_of(index, "/g/0")).embedding, index.fingerprint), 3, where=condition
    )
    equal = sorted(item.id for item in index.items() if holds(condition, item))
    assert [hit.item.id for hit in hits] == equal[:3]


def test_equal_looking_conditions_are_told_apart(index):
    query = Query(QUERIES[0], index.fingerprint)
    number = index.search(query, 1000, where=parse_where("mixed = 1"))
    truth = index.search(query, 1000, where=parse_where("mixed = true"))
    assert {hit.item.metadata["mixed"] for hit in truth} == {True}
    assert not number


def test_what_does_not_fit_the_columns_is_refused(index):
    query = Query(QUERIES[0], index.fingerprint)
    with pytest.raises(ColumnError, match="did you mean label"):
        index.search(query, 5, where=parse_where("lable = 'l1'"))
    with pytest.raises(WhereError, match="'view' holds text"):
        index.search(query, 5, where=parse_where("view = 1"))


def test_threads_share_what_is_kept(index):
    query, wrong = Query(QUERIES[1], index.fingerprint), []
    right = {text: index.search(query, 9, where=parse_where(text)) for text in ASKED}

    def ask() -> None:
        with Index.open(index.path, resident=False) as fresh:
            for text in ASKED:
                searched = [each.search(query, 9, where=parse_where(text)) for each in (fresh, index)]
                wrong.extend(text for hits in searched if hits != right[text])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_no_more_masks_are_kept_than_a_bound(index):
    query = Query(QUERIES[0], index.fingerprint)
    for number in range(40):
        index.search(query, 1, where=parse_where(f"age > {number}"))
    assert len(index._searcher._eligible._kept) == 16
