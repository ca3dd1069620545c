"""Searching images in parts finds what comparing every part with every part finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from gallery import fill_model, image_of, record_of, spec_of, unit_rows
from numpy.typing import NDArray

from cbir.types import Hit, Query
from indexer import STORES, Index, IndexWriter
from indexer.stores import StoreKind
from indexer.stores import faiss as faiss_store

DIM = 4
SPEC = spec_of(DIM)
N_FILES = 40
# Unit vectors whose products float32 has exactly: what ties, ties to the last bit.
DIRECTIONS = np.concatenate(
    [np.array(list(product((-0.5, 0.5), repeat=DIM))), np.eye(DIM), -np.eye(DIM)]
).astype(np.float32)
STORE_NAMES = ("exact", "faiss", "faiss in half precision", "faiss above its flat limit", "qdrant")


@dataclass(frozen=True)
class Made:
    """A file as it was made: its bytes, by name, and their parts in order."""

    path: str
    content: str
    group: str
    rows: NDArray[np.float32]


@pytest.fixture(params=STORE_NAMES)
def open_index(request, tmp_path, monkeypatch) -> Callable[[int], tuple[Index, list[Made]]]:
    """Indexes from seeds: few directions, so that ties are the rule; copies, removed files, 1 to 9 parts."""
    name = request.param.split(maxsplit=1)[0]
    if "half" in request.param:
        monkeypatch.setattr(faiss_store, "HALF_LIMIT", 0)
    if "above" in request.param:
        small = StoreKind(partial(faiss_store.build, flat_limit=100), STORES["faiss"].open)
        monkeypatch.setitem(STORES, "faiss", small)

    def open_seed(seed: int) -> tuple[Index, list[Made]]:
        files = made_files(np.random.default_rng(seed), tmp_path / f"{seed}.index", name)
        return Index.open(tmp_path / f"{seed}.index"), files

    return open_seed


def made_files(dice: np.random.Generator, path: Path, store: str) -> list[Made]:
    directions = dice.permutation(DIRECTIONS)[:12]
    files: list[Made] = []
    with IndexWriter.create(path, SPEC, fill_model, store=store) as writer:
        for number in range(N_FILES):
            group = f"g{dice.integers(8)}"
            if files and dice.random() < 0.15:
                twin = files[dice.integers(len(files))]
                made = Made(f"/{number}", twin.content, group, twin.rows)
                writer.link_file(record_of(made.path, made.content, "duplicate"), group=group)
            else:
                rows = directions[dice.integers(12, size=dice.integers(1, 10))]
                made = Made(f"/{number}", f"content {number}", group, rows)
                boxes = tuple((part, 0, 1, 1) for part in range(len(rows)))
                image = image_of(made.content, rows, boxes=boxes)
                writer.add_file(record_of(made.path, made.content), [image], group=group)
            files.append(made)
            if dice.random() < 0.1:
                writer.commit()
        gone = [made.path for made in files if dice.random() < 0.15]
        writer.remove_paths(gone)
        writer.commit()
        if dice.random() < 0.5:
            writer.compact()
        writer.build_store()
    return [made for made in files if made.path not in gone]


def truth(
    ids: Mapping[str, str], files: list[Made], query: NDArray[np.float32]
) -> list[tuple[float, str, int]]:
    """(score, id, part) of every file's item, best first."""
    entries = []
    for made in files:
        scores = (made.rows.astype(np.float64) @ np.atleast_2d(query).T).max(axis=1).round(5)
        entries.append((float(scores.max()), ids[made.path], int(scores.argmax())))
    return sorted(entries, key=lambda entry: (-entry[0], entry[1]))


def answered(hits: list[Hit]) -> list[tuple[float, str, int]]:
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    return [(round(hit.score, 5), hit.item.id, hit.box[0]) for hit in hits]


@pytest.mark.parametrize("seed", range(6))
def test_hits_are_those_of_comparing_everything(open_index, seed):
    opened, files = open_index(seed)
    dice = np.random.default_rng(seed)
    with opened as index:
        ids = {item.path: item.id for item in index.items()}
        for n_parts in (1, 2, 7):
            query = np.concatenate([unit_rows(n_parts - 1, DIM, seed), dice.permutation(DIRECTIONS)[:1]])
            for k in (1, 3, 10, 99):
                among = [made for made in files if dice.random() < 0.5]
                named = frozenset(ids[made.path] for made in among)
                asked = Query(query, SPEC.fingerprint, group="g3")
                mates = {made.content for made in files if made.group == "g3"}
                everything = truth(ids, files, query)
                assert answered(index.search(asked, k)) == everything[:k]
                others = [made for made in files if made.content not in mates]
                without = truth(ids, others, query)
                assert answered(index.search(asked, k, exclude_same_group=True)) == without[:k]
                few = truth(ids, among, query)
                assert answered(index.search(asked, k, among=named)) == few[:k]
        assert index.verify().ok


@pytest.mark.parametrize("seed", range(6, 9))
def test_an_item_asks_with_all_of_its_parts_and_never_finds_itself(open_index, seed):
    opened, files = open_index(seed)
    with opened as index:
        ids = {item.path: item.id for item in index.items()}
        queries = [index.query(ids[made.path]) for made in files]
        together = index.search_many(queries, 5)
        for made, query, hits in zip(files, queries, together, strict=True):
            wanted = truth(ids, [other for other in files if other is not made], made.rows)
            assert answered(hits) == wanted[:5]
            assert index.search(query, 5) == hits
