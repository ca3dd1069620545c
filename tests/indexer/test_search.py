from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from gallery import add, fill_model, gallery, id_of, image_of, record_of, spec_of, unit_rows

from cbir.errors import FingerprintError, IndexMissingError, SpecError, VectorError
from cbir.types import Hit, Query
from indexer import STORES, Index, IndexWriter
from indexer.stores import StoreKind
from indexer.stores import faiss as faiss_store

N_ROWS, DIM = 60, 8
ROWS = unit_rows(N_ROWS, DIM)
FINGERPRINT = spec_of(DIM).fingerprint


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return gallery(tmp_path_factory.mktemp("search") / "lesions.index", ROWS)


@pytest.fixture(params=["faiss", "exact", "one-shot"])
def index(path, request):
    store = None if request.param == "one-shot" else request.param
    with Index.open(path, store=store, resident=store is not None) as opened:
        yield opened


def paths(hits: list[Hit]) -> list[str]:
    return [hit.item.path for hit in hits]


def test_hits_come_best_first_with_ranks_from_one_and_cosines(index):
    hits = index.search(Query(ROWS[7], FINGERPRINT), 5)
    scores = ROWS.astype(np.float64) @ ROWS[7].astype(np.float64)
    best = np.argsort(-scores)[:5]
    assert paths(hits) == [f"/g/{row}" for row in best]
    assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5]
    np.testing.assert_allclose([hit.score for hit in hits], scores[best], atol=1e-7)
    assert hits[0].score <= 1.0


def test_more_than_there_is_gives_all_there_is(index):
    hits = index.search(Query(-ROWS[7], FINGERPRINT), 1000)
    assert len({hit.item.id for hit in hits}) == N_ROWS
    assert hits[-1].item.path == "/g/7"
    assert -1.0 <= hits[-1].score < hits[0].score


def test_an_item_never_finds_itself(index):
    query = index.query(id_of(index, "/g/7"))
    assert len(index.search(query, 1000)) == N_ROWS - 1
    assert "/g/7" not in paths(index.search(query, 1000))


def test_items_that_somebody_has_judged_are_no_hits_and_others_take_their_places(index):
    judged = [hit.item for hit in index.search(Query(ROWS[7], FINGERPRINT), 3)]
    query = Query(ROWS[7], FINGERPRINT, without=frozenset(item.id for item in judged))
    hits = index.search(query, 10)
    assert [hit.item for hit in hits] == [hit.item for hit in index.search(Query(ROWS[7], FINGERPRINT), 13)][
        3:
    ]
    assert len(index.search(replace(query, item_id=id_of(index, "/g/40")), 1000)) == N_ROWS - 4


def test_an_id_that_is_not_there_leaves_nothing_out(index):
    query = Query(ROWS[7], FINGERPRINT, without=frozenset({"nobody"}))
    assert index.search(query, 5) == index.search(Query(ROWS[7], FINGERPRINT), 5)


def test_every_group_of_a_query_is_left_out(index):
    query = index.query(id_of(index, "/g/7"))
    others = {index.query(id_of(index, f"/g/{row}")).group for row in (1, 20)}
    assert len(others - {query.group}) == 2
    hits = index.search(replace(query, more_groups=frozenset(others)), 1000, exclude_same_group=True)
    assert {hit.item.group for hit in hits} == {item.group for item in index.items()} - others - {query.group}
    assert len(index.search(replace(query, more_groups=frozenset(others)), 1000)) == N_ROWS - 1


def test_the_group_is_left_out_before_the_cut(index):
    query = index.query(id_of(index, "/g/7"))
    hits = index.search(query, 10, exclude_same_group=True)
    assert len(hits) == 10
    assert all(hit.item.group != query.group for hit in hits)
    others = [hit for hit in index.search(query, N_ROWS) if hit.item.group != query.group]
    assert [hit.item for hit in hits] == [hit.item for hit in others[:10]]
    assert len(index.search(query, 1000, exclude_same_group=True)) == N_ROWS - 4


def test_leaving_out_the_group_of_a_query_without_one_is_refused(index):
    with pytest.raises(SpecError, match="no group"):
        index.search(Query(ROWS[0], FINGERPRINT), 3, exclude_same_group=True)


def test_a_group_that_nobody_has_leaves_nothing_out(index):
    query = Query(ROWS[0], FINGERPRINT, group="stranger")
    assert len(index.search(query, 1000, exclude_same_group=True)) == N_ROWS


def test_a_query_from_another_extractor_is_refused_naming_both(index):
    stranger = spec_of(DIM, weights="1" * 64).fingerprint
    with pytest.raises(FingerprintError, match=rf"seeded \({FINGERPRINT[:8]}…\).*\({stranger[:8]}…\).*drop"):
        index.search(Query(ROWS[0], stranger), 3)


@pytest.mark.parametrize(
    "vector",
    [
        np.full(DIM, np.nan, np.float32),
        np.full(DIM, np.inf, np.float32),
        np.zeros(DIM, np.float32),
        ROWS[0] * 2,
        ROWS[0, 1:],
        ROWS[:0],
        ROWS[np.newaxis, :2],
        ROWS[:2] * np.array([[1], [2]], np.float32),
    ],
)
def test_a_vector_that_is_none_is_refused(index, vector):
    with pytest.raises(VectorError):
        index.search(Query(vector, FINGERPRINT), 3)


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_is_refused(index, k):
    with pytest.raises(ValueError, match="at least 1"):
        index.search(Query(ROWS[0], FINGERPRINT), k)


def test_a_batch_gives_what_its_queries_give_alone(index):
    queries = [Query(row, FINGERPRINT) for row in ROWS[:20]]
    assert index.search_many(queries, 5) == [index.search(query, 5) for query in queries]
    queries = [index.query(item.id) for item in list(index.items())[:20]]
    alone = [index.search(query, 5, exclude_same_group=True) for query in queries]
    assert index.search_many(queries, 5, exclude_same_group=True) == alone
    assert index.search_many([], 5) == []


def test_only_the_items_named_are_found_alone_and_in_a_batch(index):
    among = frozenset(id_of(index, f"/g/{number}") for number in range(0, N_ROWS, 7))
    queries = [Query(row, FINGERPRINT) for row in ROWS[:5]]
    found = index.search_many(queries, 4, among=among)
    assert found == [index.search(query, 4, among=among) for query in queries]
    for row, hits in zip(ROWS, found, strict=False):
        best = sorted(range(0, N_ROWS, 7), key=lambda number: -float(row @ ROWS[number]))[:4]
        assert paths(hits) == [f"/g/{number}" for number in best]
    itself = index.query(id_of(index, "/g/7"))
    mates = {f"/g/{number}" for number in range(4, 8)}
    assert not mates & set(paths(index.search(itself, 99, exclude_same_group=True, among=among)))
    assert index.search_many(queries, 4) != found  # the next question is asked of all again
    assert index.search(queries[0], 4, among=frozenset()) == []


def test_of_two_items_on_one_embedding_only_the_named_one_is_found(tmp_path):
    path = tmp_path / "copies.index"
    with IndexWriter.create(path, spec_of(DIM), fill_model) as writer:
        add(writer, "/a", ROWS[0])
        writer.link_file(record_of("/copy", "/a", "duplicate"))
        writer.commit()
    with Index.open(path) as index:
        among = frozenset([id_of(index, "/copy")])
        assert paths(index.search(Query(ROWS[0], FINGERPRINT), 10, among=among)) == ["/copy"]


def test_threads_share_an_index(index):
    queries = [Query(row, FINGERPRINT) for row in ROWS]
    wanted = [index.search(query, 7) for query in queries]
    wrong: list[int] = []

    def ask(start: int) -> None:
        for number in range(start, start + N_ROWS):
            query = number % N_ROWS
            if index.search(queries[query], 7) != wanted[query]:
                wrong.append(query)

    threads = [threading.Thread(target=ask, args=(start,)) for start in (0, 15, 30, 45)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_empty_index_finds_nothing(tmp_path):
    with Index.open(gallery(tmp_path / "empty.index", ROWS[:0].reshape(0, DIM))) as index:
        assert index.search(Query(ROWS[0], FINGERPRINT), 3) == []
        assert index.verify().ok


@pytest.mark.parametrize("store", sorted(STORES))
def test_equal_scores_are_ordered_by_item_id_also_at_the_cut(tmp_path, store):
    same = np.repeat(ROWS[:1], 50, axis=0)
    other = ROWS[1:11]
    with Index.open(gallery(tmp_path / "ties.index", np.concatenate([same, other])), store=store) as index:
        ids = sorted(item.id for item in index.items() if int(item.path[3:]) < 50)
        for k in (1, 3, 49, 50):
            hits = index.search(Query(ROWS[0], FINGERPRINT), k)
            assert [hit.item.id for hit in hits] == ids[:k]
            assert len({hit.score for hit in hits}) == 1


def test_items_that_share_an_embedding_are_hits_of_their_own(tmp_path):
    path = tmp_path / "copies.index"
    with IndexWriter.create(path, spec_of(DIM), fill_model) as writer:
        add(writer, "/a", ROWS[0], group="anna")
        writer.link_file(record_of("/copy", "/a", "duplicate"), group="berta")
        add(writer, "/b", ROWS[1], group="anna")
        writer.commit()
    with Index.open(path) as index:
        query = index.query(id_of(index, "/a"))
        assert paths(index.search(query, 10)) == ["/copy", "/b"]
        assert paths(index.search(query, 10, exclude_same_group=True)) == []  # a copy leaks as much
        copy = index.query(id_of(index, "/copy"))
        assert paths(index.search(copy, 10, exclude_same_group=True)) == ["/b"]


def test_removed_items_are_not_found(tmp_path):
    path = gallery(tmp_path / "removed.index", ROWS)
    with Index.open(path) as before, IndexWriter.open(path) as writer:
        writer.remove([id_of(before, "/g/7")])
        writer.commit()
        assert "/g/7" in paths(before.search(Query(ROWS[7], FINGERPRINT), 3))  # its generation has it
    with Index.open(path) as after:
        hits = after.search(Query(ROWS[7], FINGERPRINT), 1000)
        assert (len(hits), len(after)) == (N_ROWS - 1, N_ROWS - 1)
        assert "/g/7" not in paths(hits)


def test_an_inverted_file_serves_the_index_and_is_kept_until_it_is_stale(tmp_path, monkeypatch):
    small = StoreKind(partial(faiss_store.build, flat_limit=500), STORES["faiss"].open)
    monkeypatch.setitem(STORES, "faiss", small)
    rows = unit_rows(1400, DIM, seed=2)
    path = gallery(tmp_path / "big.index", rows[:1200])
    with IndexWriter.open(path) as writer:
        add(writer, "/late", rows[1300])
        writer.commit()
        generation = writer.generation
        writer.build_store()
        assert writer.generation == generation
        with Index.open(path) as index:
            info = index.info()
            assert info.store_settings["recall_at_10"] >= 0.99
            assert index.search(Query(rows[1300], FINGERPRINT), 1)[0].item.path == "/late"
            query = index.query(id_of(index, "/g/9"))
            hits = index.search(query, 10, exclude_same_group=True)
            assert len(hits) == 10
            assert not {"/g/8", "/g/9", "/g/10", "/g/11"} & set(paths(hits))
            assert index.verify().ok
            old_file = next(iter((path / "store").rglob("*.faiss")))
        writer.build_store("exact")
        assert not old_file.exists()
        with Index.open(path) as index:
            assert index.info().store == "exact"
            assert len(index.search(query, 2000)) == 1200
            assert index.verify().ok


def test_what_is_not_there_is_a_key_error(index):
    for ask in (index.item, index.query, index.thumbnail, index.notes):
        with pytest.raises(KeyError, match="nobody"):
            ask("nobody")


def test_notes_and_labels_are_kept(tmp_path):
    path = tmp_path / "notes.index"
    with IndexWriter.create(path, spec_of(DIM), fill_model) as writer:
        writer.add_file(record_of("/a", "a"), [image_of("a", ROWS[0], notes=("frame 12 of 25 (middle)",))])
        writer.commit()
    with Index.open(path) as index:
        item_id = id_of(index, "/a")
        assert index.notes(item_id) == ("frame 12 of 25 (middle)",)
        assert index.labels() == {}


def test_labels_are_counted(index):
    assert index.labels() == {"l0": 20, "l1": 20, "l2": 20}
    assert index.info().n_labels == index.labels()


def test_no_index_is_said_so(tmp_path):
    with pytest.raises(IndexMissingError, match="No index at"):
        Index.open(tmp_path)
    with pytest.raises(IndexMissingError, match="No index at"):
        Index.open(tmp_path / "nothing")


def test_an_unknown_store_is_refused(path):
    with pytest.raises(SpecError, match="exact, faiss"):
        Index.open(path, store="annoy")


def test_asking_once_imports_no_search_library(path):
    program = (
        "import sys, indexer, numpy\n"
        "from pathlib import Path\n"
        "index = indexer.Index.open(Path(sys.argv[1]), resident=False)\n"
        "item = next(index.items())\n"
        "assert len(index.search(index.query(item.id), 3)) == 3\n"
        "heavy = {'faiss', 'torch', 'pydicom', 'timm', 'cv2'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, timeout=60)


def test_a_library_that_changes_faiss_for_the_whole_process_changes_no_answer(path):
    """pytorch-metric-learning imports ``faiss.contrib.torch_utils``, whose search knows no filters."""
    program = """
import sys
import faiss.contrib.torch_utils
from pathlib import Path
from indexer import Index
with Index.open(Path(sys.argv[1])) as index:
    first = next(index.items())
    among = frozenset(item.id for item in index.items())
    print(len(index.search_many([index.query(first.id)] * 2, 3, exclude_same_group=True, among=among)[0]))
"""
    command = [sys.executable, "-W", "ignore", "-c", program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.returncode) == ("3\n", 0), done.stderr
