"""Whatever is done to an index, it holds what a dict holds and finds what comparing everything finds."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from gallery import fill_model, image_of, record_of, sha256_of, spec_of
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from cbir.types import Query
from indexer import Index, IndexWriter
from indexer.storage import durable

DIM = 4
SPEC = spec_of(DIM)
# Unit vectors whose products float32 has exactly: what ties, ties to the last bit.
SIGNS = [[1, 1, 1, 1], [1, 1, 1, -1], [1, 1, -1, -1], [1, -1, 1, -1], [2, 0, 0, 0], [0, -2, 0, 0]]
ROWS = np.array(SIGNS, np.float32) / 2
# Few contents, some of them with one and the same vector, some in parts: duplicates and ties are the rule.
VECTORS = {
    f"content {n}": ROWS[rows] for n, rows in enumerate([[0], [0], [1, 4, 0], [2], [3], [3], [4, 5], [5, 5]])
}
CONTENTS = st.sampled_from(sorted(VECTORS))
PATHS = st.sampled_from([f"/images/{name}" for name in "abcdefgh"])
GROUPS = st.sampled_from(["anna", "berta", None])


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(durable, "_fsync", lambda _fd: None)


class IndexMachine(RuleBasedStateMachine):
    """``files`` is what the writer was told: path to (content, label, group)."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "machine.index"
        self.files: dict[str, tuple[str, str | None, str | None]] = {}
        self.ids: dict[str, str] = {}
        self.writer: IndexWriter

    @initialize()
    def create(self) -> None:
        self.writer = IndexWriter.create(self.path, SPEC, fill_model)

    @rule(path=PATHS, content=CONTENTS, label=GROUPS, group=GROUPS)
    def find_a_file(self, path: str, content: str, label: str | None, group: str | None) -> None:
        """New, unchanged, changed or a copy of another."""
        if self.writer.has_content(sha256_of(content)):
            self.writer.link_file(record_of(path, content, "duplicate"), label=label, group=group)
        else:
            image = image_of(content, VECTORS[content])
            self.writer.add_file(record_of(path, content), [image], label=label, group=group)
        self.files[path] = (content, label, group)

    @rule(old=PATHS, new=PATHS)
    def move(self, old: str, new: str) -> None:
        if old not in self.files:
            return
        content, label, group = self.files.pop(old)
        self.writer.move_file(old, record_of(new, content))
        self.files[new] = (content, label, group)
        moved = self.ids.pop(old, None)
        self.ids.pop(new, None)
        if moved is not None:
            self.ids[new] = moved

    @rule(path=PATHS, label=GROUPS, group=GROUPS)
    def annotate(self, path: str, label: str | None, group: str | None) -> None:
        self.writer.update_annotations(path, label=label, group=group, metadata={})
        if path in self.files:
            self.files[path] = (self.files[path][0], label, group)

    @rule(path=PATHS)
    def remove_a_file(self, path: str) -> None:
        assert self.writer.remove_paths([path]) == (path in self.files)
        self.files.pop(path, None)
        self.ids.pop(path, None)

    @rule(path=PATHS)
    def remove_an_item(self, path: str) -> None:
        if path in self.ids:
            assert self.writer.remove([self.ids.pop(path)]) == 1
            del self.files[path]

    @rule()
    def commit(self) -> None:
        self.writer.commit()
        self.check()

    @rule()
    def compact(self) -> None:
        self.writer.compact()
        self.check()

    @rule()
    def reopen(self) -> None:
        self.writer.commit()
        self.writer.close()
        self.writer = IndexWriter.open(self.path)
        self.check()

    def check(self) -> None:
        with Index.open(self.path, resident=len(self.files) % 2 == 0) as index:
            items = {item.path: item for item in index.items()}
            assert {path: (item.label, item.group) for path, item in items.items()} == {
                path: (label, group) for path, (_, label, group) in self.files.items()
            }
            for path, item_id in self.ids.items():
                assert items[path].id == item_id
            self.ids = {path: item.id for path, item in items.items()}
            assert set(self.writer.paths()) == set(self.files)
            for vector, k in ((ROWS[0], 3), (-ROWS[3], 99), (ROWS[[5, 2]], 2)):
                found = index.search(Query(vector, SPEC.fingerprint), k)
                assert [(round(hit.score, 5), hit.item.id) for hit in found] == self.best(vector, k)
            for path, (content, _, _) in self.files.items():
                query = index.query(self.ids[path])
                np.testing.assert_allclose(np.atleast_2d(query.embedding), VECTORS[content], atol=1e-6)
                rest = [entry for entry in self.best(VECTORS[content], 99) if entry[1] != self.ids[path]]
                assert [(round(hit.score, 5), hit.item.id) for hit in index.search(query, 2)] == rest[:2]

    def best(self, vector: np.ndarray, k: int) -> list[tuple[float, str]]:
        """(score, id) as they must be answered."""
        scored = []
        for path, (content, _, _) in self.files.items():
            scores = VECTORS[content].astype(np.float64) @ np.atleast_2d(vector).astype(np.float64).T
            scored.append((round(float(scores.max()), 5), self.ids[path]))
        return sorted(scored, key=lambda entry: (-entry[0], entry[1]))[:k]

    def teardown(self) -> None:
        self.writer.close()
        shutil.rmtree(self.folder)


LIMITS = {"deadline": None, "suppress_health_check": list(HealthCheck), "print_blob": True}


class TestIndexMachine(IndexMachine.TestCase):
    settings = settings(max_examples=200, stateful_step_count=12, derandomize=True, **LIMITS)


@pytest.mark.soak
class TestIndexMachineForLong(IndexMachine.TestCase):
    settings = settings(max_examples=5000, stateful_step_count=30, **LIMITS)
