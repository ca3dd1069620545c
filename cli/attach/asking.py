"""The images of items that a classifier was not asked about: read, classified, each accounted for."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import SkipReason
from cbir.images.answering import answer_files
from cbir.images.decoding import Decoding, Unread, decode_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from cbir.images.decoding import DecodedFile
    from cbir.images.pool import DecodedFrame
    from cbir.types import Item
    from classifiers.classifier import Classifier
    from cli.attach.table import PosteriorTable
    from indexer.index import Index


@dataclass(frozen=True, slots=True)
class ToAsk:
    """A file, and the items whose image is in it.

    Args:
        path: of the file; of several copies one that is there.
        sha256: of its bytes when it was indexed.
        rows: of the items, in the table.
    """

    path: str
    sha256: str
    rows: tuple[int, ...]


def files_to_ask(index: Index, items: Sequence[Item], table: PosteriorTable) -> list[ToAsk]:
    """What must be read so that every item is known, in the order of the items."""
    contents = index.contents(table.ids)
    rows: dict[str, list[int]] = {}
    for row in np.flatnonzero(~table.is_known).tolist():
        rows.setdefault(contents[table.ids[row]], []).append(row)
    return [ToAsk(_path(items, some), sha256, tuple(some)) for sha256, some in rows.items()]


def ask_classifier(
    classifier: Classifier,
    files: Sequence[ToAsk],
    items: Sequence[Item],
    table: PosteriorTable,
    *,
    index: Index,
    decoding: Decoding,
    on_file: Callable[[], None],
) -> Iterator[tuple[ToAsk, Unread]]:
    """Classify the frames that are items, as the index reads them, and write posteriors to the table.

    Yields:
        The files that gave nothing, and why.
    """
    read = replace(classifier.spec.read, frames=index.spec.read.frames)
    decoded = decode_files([file.path for file in files], read, classifier.plans, decoding)
    answer = partial(_posteriors, classifier)
    by_path = {file.path: file for file in files}
    for outcome in answer_files(_unchanged(decoded, files), answer, on_file=on_file):
        if isinstance(outcome, Unread):
            yield by_path[outcome.path], outcome
            continue
        file, found = outcome
        by_frame = dict(zip((frame.frame for frame in file.frames), found, strict=True))
        for row in by_path[file.path].rows:
            table.posteriors[row] = by_frame[items[row].frame]


def _unchanged(
    decoded: Iterator[DecodedFile | Unread], files: Sequence[ToAsk]
) -> Iterator[DecodedFile | Unread]:
    """Files whose bytes are those that were indexed."""
    for outcome in decoded:
        if isinstance(outcome, Unread) or outcome.sha256 == files[outcome.row].sha256:
            yield outcome
        else:
            detail = "other bytes than those that were indexed: run cbir index update first"
            yield Unread(outcome.path, SkipReason.CHANGED, detail)


def _path(items: Sequence[Item], rows: Sequence[int]) -> str:
    paths = [items[row].path for row in rows]
    return next((path for path in paths if os.path.lexists(path)), paths[0])


def _posteriors(classifier: Classifier, frames: Sequence[DecodedFrame]) -> list[NDArray[np.float64]]:
    plans = zip(*(frame.prepared for frame in frames), strict=True)
    return list(classifier.answer([np.concatenate(plan) for plan in plans]).posteriors)
