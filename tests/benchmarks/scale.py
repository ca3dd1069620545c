"""An index of 10,000 and of 100,000 items (``--large``: of a million), against FAISS and against itself.

Every number of rows is built, searched, changed and compacted; what writes runs in a process of its own, so
that its memory can be told. Searches are measured beside a flat FAISS index of the same rows, on one thread.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import faiss

from cbir.items.where import parse_where
from cbir.types import Query
from indexer import STORES, Index, IndexWriter
from indexer.stores import StoreKind
from indexer.stores import faiss as faiss_store
from tests.benchmarks.made_scale import DATA, DIM, MadeRows, add, fill, path_of
from tests.benchmarks.ratio import Ratio, run, take_turns

SIZES, LARGE = (10_000, 100_000), 1_000_000
K, N_QUERIES, N_OPENINGS = 10, 50, 9
_ONE_PERCENT = parse_where("site = 'site-07'")
_MIB = 1 << 20


@dataclass(frozen=True)
class Memory:
    """What a process held beside the files that it maps, against the rows themselves in float32."""

    name: str
    mib: float
    n_rows: int
    goal: str

    def __str__(self) -> str:
        rows_mib = self.n_rows * DIM * 4 / _MIB
        ratio = f"{self.mib / rows_mib:.2f}"
        return f"{self.name:44} {self.mib:>6.0f} MiB {rows_mib:>6.0f} MiB   {ratio:21} {self.goal}"


@dataclass(frozen=True)
class Bar:
    """What a search must reach."""

    name: str
    goal: str
    recall: float = 1.0


def measure(shared: Path, rounds: int, *, large: bool = False) -> Iterator[Ratio | Memory]:
    """From the smallest number of rows to the greatest; then how its costs grew."""
    made = MadeRows(shared / "data" / DATA)
    faiss.omp_set_num_threads(1)
    seconds: dict[int, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for n_rows in (*SIZES, LARGE) if large else SIZES:
            seconds[n_rows] = {}
            path = Path(folder) / f"{n_rows}.index"
            yield from _life(path, made, n_rows, max(rounds, 5), seconds[n_rows])
    for smaller, larger in pairwise(seconds):
        yield from _growth(smaller, seconds[smaller], larger, seconds[larger])


def _growth(
    smaller: int, before: dict[str, list[float]], larger: int, after: dict[str, list[float]]
) -> Iterator[Ratio]:
    """Opening must not take longer; of the rest, ten times the rows may cost ten times as much."""
    for step, taken in after.items():
        if step == "opening":
            yield Ratio(f"opening, {larger:,} for {smaller:,}", taken, before[step], ">= 0.5")
        else:
            times = larger // smaller
            grown = [times * value for value in before[step]]
            yield Ratio(f"{step}, {larger:,} for {times} x {smaller:,}", taken, grown, ">= 1")


def _life(
    path: Path, made: MadeRows, n_rows: int, rounds: int, seconds: dict[str, list[float]]
) -> Iterator[Ratio | Memory]:
    raw = faiss.IndexFlatIP(DIM)
    for chunk in made.chunks(0, n_rows):
        raw.add(chunk)
    said = f"{n_rows:,} x {DIM}"
    yield _step(path, made, n_rows, "build", seconds)
    is_flat, is_measured = n_rows <= faiss_store.FLAT_LIMIT, n_rows > min(SIZES)  # PERFORMANCE.md's sizes
    bar = Bar(f"search, all rows, {said}", ">= 1.82" * is_measured, 0.998)
    yield _searches(path, made, raw, rounds, bar)
    yield _filtered(path, made, rounds, Bar(f"1 % eligible, all rows, {said}", ">= 1" * is_flat))
    yield _step(path, made, n_rows, "store", seconds)
    yield _searches(path, made, raw, rounds, Bar(f"search, cells, {said}", ">= 50" * is_measured, 0.99))
    yield _filtered(path, made, rounds, Bar(f"1 % eligible, cells, {said}", ">= 1" * (not is_flat)))
    yield _step(path, made, n_rows, "ask", seconds)
    del raw
    seconds["opening"], seconds["first answer"] = _openings(path, made)
    for step in ("update", "remove", "compact"):
        yield _step(path, made, n_rows, step, seconds)


def _searches(path: Path, made: MadeRows, raw: faiss.IndexFlatIP, rounds: int, bar: Bar) -> Ratio:
    """``Index.search`` against a flat index of FAISS, in turn; the recall@10 of what came out."""
    rows = made.queries(N_QUERIES)
    with Index.open(path, device="cpu") as index:
        queries = [Query(row, index.fingerprint) for row in rows]

        def ours() -> list[set[str]]:
            return [{hit.item.path for hit in index.search(query, K)} for query in queries]

        def theirs() -> list[set[str]]:
            return [{path_of(number) for number in raw.search(row[None], K)[1][0]} for row in rows]

        pairs = zip(ours(), theirs(), strict=True)
        found = statistics.mean(len(mine & true) / K for mine, true in pairs)
        times = take_turns(ours, theirs, rounds)
    return Ratio(bar.name, *map(_each, times), bar.goal, f"recall@{K} {found:.4f}, at least {bar.recall}")


def _filtered(path: Path, made: MadeRows, rounds: int, bar: Bar) -> Ratio:
    """One value in a hundred of a column, against the same searches without a condition."""
    with Index.open(path, device="cpu") as index:
        queries = [Query(row, index.fingerprint) for row in made.queries(N_QUERIES)]

        def ours() -> list[int]:
            return [len(index.search(query, K, where=_ONE_PERCENT)) for query in queries]

        def theirs() -> None:
            for query in queries:
                index.search(query, K)

        started = time.perf_counter()
        widths = ours()
        first_s = time.perf_counter() - started
        theirs()
        if set(widths) != {K}:
            raise RuntimeError(f"a filtered search gave {min(widths)} hits of {K}")
        times = take_turns(ours, theirs, rounds)
    note = f"always {K} hits; {first_s:.2f} s the first time"
    return Ratio(bar.name, *map(_each, times), bar.goal, note)


def _openings(path: Path, made: MadeRows) -> tuple[list[float], list[float]]:
    """Seconds until an index is open, and until it has answered once."""
    query = made.queries(1)[0]
    opened, answered = [], []
    for _ in range(N_OPENINGS):
        started = time.perf_counter()
        with Index.open(path, device="cpu") as index:
            opened.append(time.perf_counter() - started)
            index.search(Query(query, index.fingerprint), K)
            answered.append(time.perf_counter() - started)
    return opened, answered


def _each(times: Sequence[float]) -> list[float]:
    return [value / N_QUERIES for value in times]


def _step(path: Path, made: MadeRows, n_rows: int, step: str, seconds: dict[str, list[float]]) -> Memory:
    told = json.loads(run(sys.executable, "-m", "tests.benchmarks.scale", step, path, made.source, n_rows))
    if step != "ask":
        seconds[step] = [told["seconds"]]
    goal = "" if step in ("store", "compact", "ask") else "independent of N"
    return Memory(f"memory, {step}, {n_rows:,} in {told['seconds']:.2f} s", told["mib"], n_rows, goal)


def _build(path: Path, made: MadeRows, n_rows: int) -> None:
    fill(path, made, n_rows)


def _store(path: Path, _made: MadeRows, _n_rows: int) -> None:
    with IndexWriter.open(path) as writer:
        writer.build_store(device="cpu")


def _ask(path: Path, made: MadeRows, _n_rows: int) -> None:
    with Index.open(path, device="cpu") as index:
        for row in made.queries(N_QUERIES):
            index.search(Query(row, index.fingerprint), K)


def _update(path: Path, made: MadeRows, n_rows: int) -> None:
    with IndexWriter.open(path) as writer:
        add(writer, made, n_rows, n_rows + n_rows // 100)
        writer.commit()


def _remove(path: Path, _made: MadeRows, n_rows: int) -> None:
    with IndexWriter.open(path) as writer:
        writer.remove_paths(path_of(number) for number in range(0, n_rows, 20))
        writer.commit()


def _compact(path: Path, _made: MadeRows, _n_rows: int) -> None:
    with IndexWriter.open(path) as writer:
        writer.compact(device="cpu")


STEPS: dict[str, Callable[[Path, MadeRows, int], None]] = {
    "build": _build,
    "store": _store,
    "ask": _ask,
    "update": _update,
    "remove": _remove,
    "compact": _compact,
}


def _main(step: str, path: str, source: str, n_rows: str) -> None:
    """One step in this process: its seconds, and the most memory that was its own."""
    # Even a small index gets an inverted file, so that all sizes do the same.
    STORES["faiss"] = StoreKind(partial(faiss_store.build, flat_limit=0), STORES["faiss"].open)
    made = MadeRows(Path(source))
    _ = made.real
    faiss.omp_set_num_threads(faiss.omp_get_max_threads())
    before, done, most = _own_mib(), threading.Event(), [0.0]

    def watch() -> None:
        while not done.wait(0.02):
            most[0] = max(most[0], _own_mib())

    watching = threading.Thread(target=watch)
    watching.start()
    started = time.perf_counter()
    try:
        STEPS[step](Path(path), made, int(n_rows))
    finally:
        done.set()
        watching.join()
    print(json.dumps({"seconds": time.perf_counter() - started, "mib": max(0.0, most[0] - before)}))


def _own_mib() -> float:
    """Memory that no file backs: what is mapped of the index can be dropped at any time."""
    with Path("/proc/self/status").open(encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) / 1024


if __name__ == "__main__":
    _main(*sys.argv[1:])
