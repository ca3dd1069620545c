"""Large indexes of real embeddings: 2,006 mammograms' (BiomedCLIP, 512-d) replicated with noise.

A made row is a real embedding plus 0.4 times the difference of two others, brought to unit length: the noise
has the directions of the data, so that rows lie where rows can lie. Isotropic noise would leave all copies of
an image equally far from each other, which no index can be asked to tell apart. With 0.4, as many made rows
as there are real ones are as near to each other (median cosine of the nearest 0.964, of the real ones 0.968)
and as hard to tell apart (intrinsic dimension by maximum likelihood, 20 neighbours: 16.7; real ones 17.8).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cbir.extractors.imported import imported_spec
from cbir.types import Scalar
from indexer.ingesting.account import Account
from indexer.ingesting.paced import PacedCommits
from indexer.ingesting.stopwatch import Stopwatch
from indexer.storage.records import FileRecord, NewImage
from indexer.writer import IndexWriter

DATA = "cdd_cesm_biomedclip_embeddings/all2006_image_features_unlabelled_order_train_val_query_candidate.npy"
DIM = 512
_NOISE = 0.4
_CHUNK = 8192
_N_SITES = 100
_ROWS_PER_GROUP = 4
_COMMIT_EVERY_S = 10.0


@dataclass(frozen=True)
class MadeRows:
    """As many rows as are asked for, the same in every run."""

    source: Path

    @cached_property
    def real(self) -> NDArray[np.float32]:
        """(2006, 512), unit."""
        return _unit(np.load(self.source).astype(np.float32))

    def chunks(self, first: int, stop: int) -> Iterator[NDArray[np.float32]]:
        """Rows ``first`` to ``stop``; a row depends on its chunk alone, chunks on their number."""
        for number in range(first // _CHUNK, -(-stop // _CHUNK)):
            chunk = self._chunk(number)
            yield chunk[max(0, first - number * _CHUNK) : stop - number * _CHUNK]

    def queries(self, n: int) -> NDArray[np.float32]:
        """Rows that no gallery has."""
        return self._chunk(2**31)[:n]

    def _chunk(self, number: int) -> NDArray[np.float32]:
        drawn = np.random.default_rng([20240501, number]).integers(len(self.real), size=(3, _CHUNK))
        base, plus, minus = self.real[drawn]
        return _unit(base + _NOISE * (plus - minus))


def fill(path: Path, made: MadeRows, n_rows: int) -> float:
    """Write an index of ``n_rows`` items and commit as a build does; the seconds that its commits took."""
    watch = Stopwatch()
    with IndexWriter.create(path, imported_spec("made", DIM), lambda _folder: None) as writer:
        commits = PacedCommits(writer, Account(), watch, every_s=_COMMIT_EVERY_S, on_progress=None)
        add(writer, made, 0, n_rows, commits)
        commits.commit()
    return watch.seconds()["commit"]


def add(
    writer: IndexWriter, made: MadeRows, first: int, stop: int, commits: PacedCommits | None = None
) -> None:
    """Add rows ``first`` to ``stop`` as files of one image each."""
    number = first
    for chunk in made.chunks(first, stop):
        for row in chunk:
            sha256 = f"{number:064x}"
            writer.add_file(
                FileRecord(path_of(number), 1, 1, sha256, "indexed"),
                [NewImage(sha256, 0, row, b"", sha256)],
                label=f"label-{number % 10}",
                group=f"patient-{number // _ROWS_PER_GROUP}",
                metadata=metadata_of(number),
            )
            number += 1
            if commits and commits.is_due:
                commits.commit()


def path_of(number: int) -> str:
    """Of the file that would hold the image."""
    return f"/made/{number // 1000:06d}/{number:09d}.png"


def metadata_of(number: int) -> dict[str, Scalar]:
    """A text of which each value is on 1 % of the rows, a number, a truth."""
    # Multiplied by odd numbers, so that no column goes along with another or with the order of the rows.
    site, age = number * 2654435761 % 2**32 % _N_SITES, number * 40503 % 2**16 % 60 + 30
    return {"site": f"site-{site:02d}", "age": age, "screening": number * 97 % 5 < 2}


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
