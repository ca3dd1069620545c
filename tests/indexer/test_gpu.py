"""FAISS on a GPU, with a stand-in for the GPU: copies in memory that refuse what a GPU does not do."""

from __future__ import annotations

import logging

import faiss
import numpy as np
import pytest
from gallery import gallery, spec_of, unit_rows

from cbir.types import Query
from indexer import Index, IndexWriter
from indexer.stores import faiss as faiss_store
from indexer.stores import gpu

DIM = 16
ROWS = unit_rows(900, DIM)


class OnGpu:
    """A CPU copy of an index; a real one would ignore a selector and find 2,048 neighbours at most."""

    def __init__(self, card, index):
        self._card, self._index = card, faiss.clone_index(index)
        self.this = self._index.this  # what FAISS takes for the pointer

    def add(self, rows):
        if self._card.rows_it_holds < self._index.ntotal + len(rows):
            raise RuntimeError("Error in virtual void* StandardGpuResourcesImpl::allocMemory\n out of memory")
        self._index.add(rows)

    def search(self, queries, k, params=None):
        assert params is None
        assert k <= 2048
        self._card.n_searches += 1
        return self._index.search(queries, k)


class Card:
    rows_it_holds = 10**9
    n_searches = 0

    def copied(self, _resources, device, index):
        assert device == 0
        made = OnGpu(self, index)
        # k-means runs in C++, which can't call back: it is given the copy itself.
        return made if index.ntotal or not self.is_training else made._index

    is_training = False


@pytest.fixture
def card(monkeypatch):
    card = Card()
    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 1)
    monkeypatch.setattr(faiss, "StandardGpuResources", object, raising=False)
    monkeypatch.setattr(faiss, "index_cpu_to_gpu", card.copied, raising=False)
    return card


@pytest.fixture
def inverted(monkeypatch):
    """Even a small gallery gets an inverted file."""
    monkeypatch.setattr(faiss_store.build, "__kwdefaults__", {"flat_limit": 100})


def asked(path, rows, k=10, **options):
    with Index.open(path, **options) as index:
        queries = [Query(row, spec_of(DIM).fingerprint) for row in rows]
        return [[(hit.item.id, hit.score) for hit in hits] for hits in index.search_many(queries, k)]


def test_a_large_batch_is_answered_by_the_gpu_as_by_the_cpu(path, card):
    gallery(path, ROWS)
    queries = unit_rows(gpu.MIN_QUERIES, DIM, seed=3)
    assert asked(path, queries) == asked(path, queries, device="cpu")
    assert card.n_searches == 1


def test_few_queries_stay_on_the_cpu(path, card):
    gallery(path, ROWS)
    asked(path, unit_rows(gpu.MIN_QUERIES - 1, DIM, seed=3))
    asked(path, unit_rows(gpu.MIN_QUERIES, DIM, seed=3), device="cpu")
    assert card.n_searches == 0


def test_a_filter_never_reaches_the_gpu_which_would_ignore_it(path, card):
    gallery(path, ROWS)
    queries = [Query(row, spec_of(DIM).fingerprint) for row in unit_rows(gpu.MIN_QUERIES, DIM, seed=3)]
    with Index.open(path) as index:
        among = frozenset(item.id for item in index.items() if item.label == "l1")
        found = index.search_many(queries, 10, among=among)
    assert {hit.item.id for hits in found for hit in hits} <= among
    assert card.n_searches == 0


def test_more_than_a_gpu_finds_is_found_by_the_cpu(path, card):
    gallery(path, ROWS)
    found = asked(path, unit_rows(gpu.MIN_QUERIES, DIM, seed=3), k=900)
    assert {len(hits) for hits in found} == {900}


def test_a_gpu_that_is_too_small_is_left_alone_after_one_note(path, card, caplog):
    gallery(path, ROWS)
    card.rows_it_holds = 500
    queries = unit_rows(gpu.MIN_QUERIES, DIM, seed=3)
    with Index.open(path) as index, caplog.at_level(logging.WARNING):
        for _ in range(2):
            index.search_many([Query(row, spec_of(DIM).fingerprint) for row in queries], 10)
    (record,) = caplog.records
    assert "can't hold the index" in record.getMessage()
    assert "\n" not in record.getMessage()


def test_a_store_built_on_the_gpu_is_read_and_answers_without_one(path, card, inverted, monkeypatch):
    card.is_training = True
    gallery(path, ROWS)
    assert card.n_searches > 0
    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 0)
    with Index.open(path) as index:
        assert index.info().store_settings["built_on"] == "cuda"
        assert index.info().store_settings["recall_at_10"] >= 0.99
        assert index.verify().ok
    exact = asked(path, ROWS[:50], store="exact")
    found = asked(path, ROWS[:50])
    shared = [len(set(a) & set(b)) for a, b in zip(exact, found, strict=True)]
    assert np.mean(shared) >= 9.7


def test_a_build_that_the_gpu_gives_up_is_finished_by_the_cpu(path, card, inverted, caplog, monkeypatch):
    card.is_training = True

    def full(*_arguments, **_named):
        raise RuntimeError("cudaMalloc failed: out of memory")

    monkeypatch.setattr(OnGpu, "search", full)
    with caplog.at_level(logging.WARNING):
        gallery(path, ROWS)
    assert "the CPU builds it" in caplog.text
    with Index.open(path, device="cpu") as index:
        assert index.info().store_settings["built_on"] == "cpu"
        assert index.verify().ok


def test_asking_for_a_gpu_where_faiss_sees_none_says_so_and_works(path, inverted, caplog):
    gallery(path, ROWS)
    with IndexWriter.open(path) as writer, caplog.at_level(logging.WARNING):
        writer.remove_paths(["/g/1"])
        writer.compact(device="cuda")
    assert "FAISS sees no GPU" in caplog.text
    assert asked(path, ROWS[:2], device="cuda")
