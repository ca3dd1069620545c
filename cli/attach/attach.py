"""From a run of `cbir classify train` to an attachment of an index."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import SkipReason
from cbir.images.decoding import Decoding, Unread
from cbir.images.settings import ReadPolicy
from classifiers.attached import AttachedSettings
from classifiers.classifier import open_classifier
from classifiers.folder import NETWORK_FILE, SPEC_FILE
from cli.attach.asking import ask_classifier, files_to_ask
from cli.attach.labels import check_labels
from cli.attach.table import PosteriorTable
from cli.told import Telling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cli.settings import Settings
    from indexer.index import Index
    from indexer.writer import IndexWriter

_AT_ONCE = 4096
"""Files between two commits: what was said of them stays when the rest is interrupted."""


@dataclass(frozen=True, slots=True)
class AttachReport:
    """What became of every item: ``n_items == n_known + n_classified + sum(skipped.values())``.

    Args:
        name: that the classifier is attached under.
        n_items: of the index.
        n_known: whose image the classifier was asked about before.
        n_classified: now.
        skipped: how many were not, by reason.
        unread: their files.
        n_learned: how many of all the classifier learned from.
        note: what a user should know of the classes; None for nothing.
    """

    name: str
    n_items: int
    n_known: int
    n_classified: int
    skipped: Mapping[SkipReason, int]
    unread: tuple[Unread, ...]
    n_learned: int
    note: str | None


def attach_classifier(
    run: Path,
    index: Index,
    writer: IndexWriter,
    settings: Settings,
    *,
    name: str | None = None,
    label: str | None = "label",
) -> AttachReport:
    """Ask a classifier about every item that it was not asked about, and keep it all with the index.

    Args:
        run: the classifier's folder.
        index: as the writer found it.
        writer: commits every 4096 files, and at the end.
        settings: limits, and how many decode.
        name: to attach it under; None for its network's.
        label: the column with its classes; None where the index has none.

    Raises:
        SpecError: no classifier, or a name that can't be, or is that of something else.
        UsageProblem: the index has labels that the classifier does not know.
    """
    classifier = open_classifier(run)
    spec = classifier.spec
    note = None if label is None else check_labels(index, spec, label)
    items = list(index.items())
    blank = AttachedSettings(spec.name, spec.fingerprint, spec.classes, spec.is_ordinal, label)
    name = name or spec.network.name
    table = PosteriorTable.begin(writer, name, blank, [item.id for item in items])
    table.learned = _learned(run, index, table.ids)
    n_known = table.n_known
    files = files_to_ask(index, items, table)
    own_files = {each: run / each for each in (SPEC_FILE, NETWORK_FILE)}
    telling = Telling("files classified", len(files))
    decoding = Decoding(settings.limits, ReadPolicy(**settings.policy), settings.workers)  # type: ignore[arg-type]  # settings are checked
    unread: list[Unread] = []
    skipped: Counter[SkipReason] = Counter()
    for start in range(0, len(files) or 1, _AT_ONCE):
        some = files[start : start + _AT_ONCE]
        for file, why in ask_classifier(
            classifier, some, items, table, index=index, decoding=decoding, on_file=telling.one
        ):
            unread.append(why)
            skipped[why.reason] += len(file.rows)
        table.commit(writer, own_files)
    return AttachReport(
        name=name,
        n_items=len(items),
        n_known=n_known,
        n_classified=table.n_known - n_known,
        skipped=skipped,
        unread=tuple(unread),
        n_learned=int(table.learned.sum()),
        note=note,
    )


def _learned(run: Path, index: Index, ids: Sequence[str]) -> NDArray[np.bool_]:
    """(n_items,), which have the bytes of an image of the run's train part; none where it keeps no split."""
    split = run / "split.csv"
    if not split.is_file():
        return np.zeros(len(ids), dtype=np.bool_)
    with split.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        trained = {row.get("sha256") for row in csv.DictReader(file) if row.get("split") == "train"}
    contents = index.contents(ids)
    return np.array([contents[each] in trained for each in ids], dtype=np.bool_)
