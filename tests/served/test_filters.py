"""Filters that a server is told: what reaches it, and what becomes of an answer that it gave too late."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from gallery import add
from qdrant_client.http import models as m

from cbir.errors import BackendError
from cbir.items.where import parse_where
from cbir.types import Query
from indexer import Index, IndexWriter
from indexer.stores import exact

LABEL_1 = {"key": '"label"', "match": {"any": ["l1"]}}
SHARED = {"key": "cbir.shared", "match": {"value": True}}


@pytest.fixture(autouse=True)
def every_filter_goes_to_the_server(monkeypatch):
    monkeypatch.setattr(exact, "FEW_ROWS", 0)


def asked(index, site, where) -> list[tuple[str, float]]:
    """What a search finds with a condition; the double's log is of this search alone."""
    site.double.searches.clear()
    query = Query(site.rows[50], index.fingerprint)
    return [(hit.item.path, hit.score) for hit in index.search(query, 5, where=parse_where(where))]


def filters(site) -> list[object]:
    return [each.get("filter") for each in site.double.searches]


def test_a_condition_reaches_the_server_as_its_own_filter(site):
    with Index.open(site.path, store="exact") as index:
        true = asked(index, site, "label = 'l1' and age >= 7")
        assert not site.double.searches
    with Index.open(site.path, server=site.connection) as index:
        assert asked(index, site, "label = 'l1' and age >= 7") == true
    at_least_7 = {"key": '"age"', "range": {"gte": 7.0}}
    assert filters(site) == [{"should": [{"must": [LABEL_1, at_least_7]}, SHARED]}]
    assert len(true) == 5


def test_flags_are_flags_on_the_wire(site):
    with IndexWriter.open(site.path, server=site.connection) as writer:
        for number in range(10):
            writer.update_annotations(
                f"/g/{number}", label=None, group=None, metadata={"dense": number % 2 == 0}
            )
        writer.commit()
    where = "dense = true"
    with Index.open(site.path, store="exact") as index:
        true = asked(index, site, where)
    with Index.open(site.path, server=site.connection) as index:
        assert asked(index, site, where) == true
    assert len(true) == 5
    assert filters(site)[0]["should"][0] == {"should": [{"key": '"dense"', "match": {"value": True}}]}
    (collection,) = site.double.collections.named.values()
    chosen = m.Filter(must=[m.FieldCondition(key="dense", match=m.MatchValue(value=True))])
    assert collection.count(m.CountRequest(filter=chosen)).count == 5


@pytest.mark.parametrize("ends", ["published", "in the middle"])
def test_an_answer_from_payloads_that_changed_in_between_does_not_count(ends, site):
    where = "label = 'l1'"
    with Index.open(site.path, store="exact") as index:
        true = asked(index, site, where)
    with Index.open(site.path, server=site.connection) as index:
        assert asked(index, site, where) == true
        with IndexWriter.open(site.path, server=site.connection) as writer:
            for path, _ in true:
                writer.update_annotations(path, label="other", group=None, metadata={})
            if ends == "in the middle":
                site.double.plan.add("full", "PATCH", after=1, times=-1)
            with contextlib.suppress(BackendError) if ends == "in the middle" else contextlib.nullcontext():
                writer.commit()
        site.double.plan.clear()
        assert asked(index, site, where) == true
        first, *more = filters(site)
        assert first is not None
        assert more
        assert more == [None] * len(more)
        assert asked(index, site, where) == true
        assert not any(filters(site))


def test_a_reader_who_opens_while_payloads_are_newer_sends_no_filter(site):
    where = "label = 'l1'"
    with Index.open(site.path, store="exact") as index:
        true = asked(index, site, where)
    (collection,) = site.double.collections.named.values()
    collection.metadata["pending"] = collection.metadata["generation"] + 1
    with Index.open(site.path, server=site.connection) as index:
        assert asked(index, site, where) == true
    assert not any(filters(site))


def test_rows_of_a_later_commit_fill_no_answer(site):
    """Points that this reader does not know come first; it asks on until it has its own."""
    near = site.rows[50] + 1e-3 * np.eye(8, dtype=np.float32)
    near = (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)
    with Index.open(site.path, store="exact") as index:
        true = asked(index, site, "age >= 3")
    with Index.open(site.path, server=site.connection) as index:
        assert asked(index, site, "age >= 3") == true
        with IndexWriter.open(site.path, server=site.connection) as writer:
            for number, row in enumerate(near):
                for copy in range(8):
                    add(writer, f"/near/{number}/{copy}", row, metadata={"age": 50})
            writer.commit()
        assert asked(index, site, "age >= 3") == true
