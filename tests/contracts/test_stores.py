"""What every store must answer, compared with multiplying everything, value by value."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.catalog import Catalog
from indexer.embeddings import Embeddings
from indexer.manifest import StoreRef
from indexer.storage.blocks import write_block
from indexer.storage.records import NewImage
from indexer.storage.sealed import SealedFile
from indexer.stores import INDEX_ID, STORES, Generation, Neighbours, Store
from indexer.stores import faiss as faiss_store
from indexer.stores.qdrant.edge import ShardLayout
from indexer.stores.qdrant.embedded import build_shard
from indexer.writing import edits

sys.path.insert(0, str(Path(__file__).parents[1] / "doubles"))

from qdrant_places import PLACES, served

KINDS = {name: kind.build for name, kind in STORES.items()}
KINDS["faiss in half precision"] = KINDS["faiss"]
KINDS["faiss above its flat limit"] = partial(faiss_store.build, flat_limit=100)
KINDS["qdrant through its graph"] = partial(build_shard, layout=ShardLayout(scan_up_to_kb=1))
KINDS["qdrant in 8 bits"] = partial(build_shard, layout=ShardLayout(scan_up_to_kb=1, int8=True))

N_ROWS, DIM = 5000, 16


@contextlib.contextmanager
def make(
    kind: str, folder: Path, rows: NDArray[np.float32], *, n_covered: int | None = None
) -> Iterator[Store]:
    """A store over rows in two blocks; the files, if any, cover the first ``n_covered``."""

    def stored(n: int) -> Embeddings:
        blocks = [
            write_block(folder, number, start, list(rows[start:stop]), [b""] * (stop - start))
            for number, (start, stop) in enumerate([(0, n // 3), (n // 3, n)])
            if stop > start
        ]
        files = {name: seal for block in blocks for name, seal in block.files.items()}
        return Embeddings(folder, [block.ref for block in blocks], files, rows.shape[1])

    def generation(n: int) -> Generation:
        return Generation(folder, "f" * 64, stored(n), catalog_of(folder, rows), number=1)

    if kind in PLACES:
        with (
            PLACES[kind]() as connection,
            contextlib.closing(served(connection, generation(len(rows)))) as store,
        ):
            yield store
        return

    built = KINDS[kind](generation(n_covered or len(rows)), "store/00000001")
    name = kind.split(maxsplit=1)[0]
    ref = StoreRef(name, tuple(built.files), built.n_rows, built.settings)
    files = {path: SealedFile(folder / path, seal) for path, seal in built.files.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faiss_store, "HALF_LIMIT", 0 if "half" in kind else 10**9)
        store = STORES[name].open(generation(len(rows)), ref, files)
    with contextlib.closing(store):
        yield store


def catalog_of(folder: Path, rows: NDArray[np.float32]) -> Catalog:
    """An item a row, of group g<row // 4>, half of them of view CC."""
    path = folder / "catalog.sqlite"
    path.unlink(missing_ok=True)
    connection = edits.open_scratch(path, new=True)
    edits.put_memo(connection, INDEX_ID, hashlib.sha256(rows.tobytes()).hexdigest())
    for row, vector in enumerate(rows):
        content = hashlib.sha256(b"%d" % row).hexdigest()
        name = f"/g/{row}"
        edits.put_image(connection, [row], NewImage(content, 0, vector, b"", content))
        said = edits.Annotations(f"l{row % 3}", f"g{row // 4}", {"view": ("CC", "MLO")[row % 2], "age": row})
        edits.set_items(connection, name, [(0, row)], said)
    return Catalog(connection)


def truth(
    rows: NDArray[np.float32], query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """The scores that must come out, best first."""
    scores = rows.astype(np.float64) @ query.astype(np.float64)
    return np.sort(scores if allowed is None else scores[allowed])[::-1][:k]


def check(
    found: Neighbours,
    rows: NDArray[np.float32],
    query: NDArray[np.float32],
    k: int,
    allowed: NDArray[np.bool_] | None = None,
) -> None:
    """Right width, right scores for the rows named, no row twice, none that is not allowed, the best ones."""
    wanted = truth(rows, query, k, allowed)
    assert found.rows.dtype == np.int64
    assert found.scores.dtype == np.float32
    assert len(found.rows) == len(found.scores) == len(wanted)
    assert len(set(found.rows.tolist())) == len(found.rows)
    assert allowed is None or allowed[found.rows].all()
    mine = rows[found.rows].astype(np.float64) @ query.astype(np.float64)
    np.testing.assert_allclose(found.scores, mine, atol=1e-6)
    assert (np.diff(found.scores) <= 0).all()
    np.testing.assert_allclose(found.scores, wanted, atol=1e-6)


@pytest.fixture(scope="module")
def rows() -> NDArray[np.float32]:
    drawn = np.random.default_rng(0).standard_normal((N_ROWS, DIM))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module", params=sorted([*KINDS, *PLACES]))
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def store(kind, rows, tmp_path_factory):
    with make(kind, tmp_path_factory.mktemp("store"), rows) as made:
        yield made


def test_the_nearest_rows_come_first_with_their_cosines(store, rows):
    for query in rows[:20]:
        check(store.search(query[None], 10)[0], rows, query, 10)


def test_a_query_far_from_everything_gets_negative_scores(store, rows):
    away = -rows.mean(axis=0)
    away /= np.linalg.norm(away)
    found = store.search(away[None], N_ROWS)[0]
    check(found, rows, away, N_ROWS)
    assert found.scores[-1] < 0


def test_more_than_there_is_gives_all_there_is(store, rows):
    check(store.search(rows[:1], N_ROWS + 7)[0], rows, rows[0], N_ROWS + 7)


def test_a_batch_gives_what_its_queries_give_alone(store, rows):
    queries = rows[100:164]
    for query, together in zip(queries, store.search(queries, 5), strict=True):
        alone = store.search(query[None], 5)[0]
        np.testing.assert_array_equal(together.rows, alone.rows)
        np.testing.assert_allclose(together.scores, alone.scores, atol=1e-6)


@pytest.mark.parametrize("share", [0.0002, 0.01, 0.3, 0.98])
def test_a_mask_holds_before_the_cut(kind, store, rows, share, monkeypatch):
    if kind in {"exact", "faiss", "faiss in half precision"}:  # the others may overlook a row
        monkeypatch.setattr("indexer.stores.exact.FEW_ROWS", 0)
    allowed = np.random.default_rng(3).random(N_ROWS) < share
    allowed[17] = True
    for query in rows[:5]:
        check(store.search(query[None], 10, allowed=allowed)[0], rows, query, 10, allowed)


def test_a_batch_over_few_rows_gives_what_its_queries_give_alone(store, rows):
    allowed = np.random.default_rng(5).random(N_ROWS) < 0.01
    for query, found in zip(rows[:9], store.search(rows[:9], 10, allowed=allowed), strict=True):
        check(found, rows, query, 10, allowed)


def test_a_mask_that_allows_nothing_finds_nothing(store, rows):
    found = store.search(rows[:2], 10, allowed=np.zeros(N_ROWS, dtype=np.bool_))
    assert [len(each.rows) for each in found] == [0, 0]


def test_a_mask_against_all_near_rows_still_fills_the_answer(store, rows, monkeypatch):
    monkeypatch.setattr("indexer.stores.exact.FEW_ROWS", 0)
    # The far half of the gallery lies in cells that the query would not visit.
    allowed = rows @ rows[0] < 0
    found = store.search(rows[:1], 2000, allowed=allowed)[0]
    assert len(found.rows) == 2000
    assert allowed[found.rows].all()


def test_one_row_is_found(kind, tmp_path):
    one = np.array([[0.6, -0.8]], dtype=np.float32)
    with make(kind, tmp_path, one) as store:
        found = store.search(-one, 10)[0]
    assert found.rows.tolist() == [0]
    np.testing.assert_allclose(found.scores, [-1.0], atol=1e-6)


def test_identical_rows_are_all_found_with_one_score(kind, rows, tmp_path):
    same = rows[:300].copy()
    same[[5, 77, 150, 299]] = rows[5]
    with make(kind, tmp_path, same) as store:
        found = store.search(rows[5:6], 4)[0]
    assert sorted(found.rows.tolist()) == [5, 77, 150, 299]
    np.testing.assert_allclose(found.scores, 1.0, atol=1e-6)


def test_rows_added_since_the_build_are_found(kind, rows, tmp_path):
    with make(kind, tmp_path, rows[:1000], n_covered=900) as store:
        for number in (899, 900, 999):
            assert store.search(rows[number : number + 1], 3)[0].rows[0] == number
            check(store.search(rows[number : number + 1], 3)[0], rows[:1000], rows[number], 3)


def test_the_inverted_file_keeps_its_recall(rows, tmp_path):
    queries = np.random.default_rng(9).standard_normal((200, DIM)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    with make("faiss above its flat limit", tmp_path, rows) as store:
        found = store.search(queries, 10)
    hits = sum(
        np.count_nonzero(mine.scores >= truth(rows, query, 10)[-1] - 1e-6)
        for mine, query in zip(found, queries, strict=True)
    )
    assert hits / 2000 >= 0.97
