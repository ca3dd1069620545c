"""Files to posteriors, every file accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from cbir.images.answering import answer_files
from cbir.images.decoding import Decoding, Unread, decode_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from cbir.images.pool import DecodedFrame
    from classifiers.classifier import Classifier


@dataclass(frozen=True, slots=True, eq=False)
class ClassifiedFiles:
    """What a classifier says of files. Files given = rows + unread.

    Args:
        rows: (n,), which of the files each is, ascending.
        posteriors: (n, n_classes).
        embeddings: (n, dim), what the last layer read; (0, 0) where no file was read.
        unread: the files that have none.
    """

    rows: NDArray[np.intp]
    posteriors: NDArray[np.float64]
    embeddings: NDArray[np.float32]
    unread: tuple[Unread, ...]


def classify_files(
    classifier: Classifier,
    paths: Sequence[str],
    decoding: Decoding | None = None,
    *,
    on_file: Callable[[], None] = lambda: None,
) -> ClassifiedFiles:
    """Read, decode, prepare and classify files; a file of several frames has the mean of their answers.

    Args:
        classifier: as opened.
        paths: absolute.
        decoding: None for the defaults.
        on_file: called after each file, in this thread.

    Raises:
        CbirError: decoding workers can't be started at all.
    """
    found: dict[int, tuple[NDArray[np.float64], NDArray[np.float32]]] = {}
    unread: list[Unread] = []
    decoded = decode_files(paths, classifier.spec.read, classifier.plans, decoding or Decoding())
    for outcome in answer_files(decoded, partial(_answers, classifier), on_file=on_file):
        if isinstance(outcome, Unread):
            unread.append(outcome)
        else:
            file, of_frames = outcome
            posteriors, embeddings = zip(*of_frames, strict=True)
            found[file.row] = np.mean(posteriors, axis=0), np.mean(embeddings, axis=0)
    rows = sorted(found)
    n_classes = len(classifier.spec.classes)
    return ClassifiedFiles(
        np.array(rows, dtype=np.intp),
        np.stack([found[row][0] for row in rows]) if rows else np.zeros((0, n_classes)),
        np.stack([found[row][1] for row in rows]) if rows else np.zeros((0, 0), dtype=np.float32),
        tuple(unread),
    )


def _answers(
    classifier: Classifier, frames: Sequence[DecodedFrame]
) -> list[tuple[NDArray[np.float64], NDArray[np.float32]]]:
    plans = zip(*(frame.prepared for frame in frames), strict=True)
    answers = classifier.answer([np.concatenate(plan) for plan in plans])
    return list(zip(answers.posteriors, answers.embeddings, strict=True))
