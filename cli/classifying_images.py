"""Images to a table of a classifier's predictions, as a command sees it: progress, account, exit code."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cbir.errors import ItemsError
from cbir.images.decoding import Decoding, Unread
from cbir.images.settings import ReadPolicy
from cbir.items import find_items
from cbir.items.found import Found
from cbir.items.table import as_text
from classifiers.classifier import open_classifier
from classifiers.predicting import ClassifiedFiles, classify_files
from classifiers.predictions import Predictions, write_predictions
from cli.account import write_skipped
from cli.exit_codes import ExitCode
from cli.progress import open_bar
from cli.terminal import has_terminal, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classifiers.classifier import Classifier
    from cli.settings import Settings

_N_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """Which images, and where their labels are.

    Args:
        sources: as a user types them.
        labels: an items file that labels what the sources give.
        label_column: in items files.
        group_column: likewise.
    """

    sources: tuple[str, ...]
    labels: str | None
    label_column: str | None
    group_column: str | None


def write_predicted(
    folder: Path, asked: Asked, output: Path, settings: Settings, *, skipped: Path | None
) -> ExitCode:
    """Classify the images that the sources give, write the table, and give the account.

    Args:
        folder: of the classifier.
        asked: which images.
        output: the CSV file.
        settings: limits, policy, workers.
        skipped: where the skipped files are listed; None lists them nowhere.

    Raises:
        CbirError: no classifier, no image, a label that the classifier does not know; or it can't be written.
    """
    classifier = open_classifier(folder)
    unmatched: list[str] = []
    seen = list(
        find_items(
            asked.sources,
            labels=Path(asked.labels) if asked.labels else None,
            label_column=asked.label_column,
            group_column=asked.group_column,
            on_unmatched=unmatched.append,
        )
    )
    found = [each for each in seen if isinstance(each, Found)]
    refused = [Unread(each.path, each.reason, each.detail) for each in seen if not isinstance(each, Found)]
    _check_labels(found, classifier.spec.classes)
    classified = _classified(classifier, [each.path for each in found], settings)
    unread = (*refused, *classified.unread)
    _tell(len(seen), classified, unread, n_unmatched=len(unmatched))
    if skipped:
        write_skipped(unread, skipped)
        note(f"skipped files, with reasons: {skipped}")
    if not len(classified.rows):
        raise ItemsError(f"None of {len(seen)} files in {', '.join(asked.sources)} could be classified.")
    write_predictions(output, _table(classifier, [found[row] for row in classified.rows], classified))
    note(f"{output}: measure it with cbir classify evaluate {output}")
    note("Research use only, not for diagnosis.")
    return ExitCode.SKIPPED if unread else ExitCode.DONE


def _check_labels(found: Sequence[Found], classes: Sequence[str]) -> None:
    """Before the images are classified, which takes long."""
    strange = Counter(each.label for each in found if each.label is not None and each.label not in classes)
    if strange:
        shown = ", ".join(repr(label) for label, _ in strange.most_common(_N_SHOWN))
        raise ItemsError(
            f"{strange.total()} of {len(found)} images have labels that the classifier does not know: "
            f"{shown}. Its classes are {', '.join(map(repr, classes))}; name the right column with --label, "
            "or leave those images out."
        )


def _classified(classifier: Classifier, paths: Sequence[str], settings: Settings) -> ClassifiedFiles:
    policy = ReadPolicy(**settings.policy)  # type: ignore[arg-type]  # it checks
    decoding = Decoding(settings.limits, policy, settings.workers)
    if not has_terminal():
        return classify_files(classifier, paths, decoding)
    with open_bar() as bar:
        task = bar.add_task("classifying", total=len(paths))
        return classify_files(classifier, paths, decoding, on_file=lambda: bar.advance(task))


def _table(classifier: Classifier, found: Sequence[Found], classified: ClassifiedFiles) -> Predictions:
    return Predictions(
        paths=tuple(each.path for each in found),
        labels=tuple(each.label for each in found),
        groups=tuple(each.group for each in found),
        splits=tuple(as_text(each.metadata.get("split")) for each in found),
        classes=classifier.spec.classes,
        posteriors=classified.posteriors,
        is_ordinal=classifier.spec.is_ordinal,
    )


def _tell(n_found: int, classified: ClassifiedFiles, unread: Sequence[Unread], *, n_unmatched: int) -> None:
    reasons = ", ".join(f"{why} {n}" for why, n in Counter(str(each.reason) for each in unread).items())
    rows = [
        ("found", n_found, ""),
        ("classified", len(classified.rows), ""),
        ("skipped", len(unread), reasons),
    ]
    width = len(str(n_found))
    for name, count, remark in rows:
        note(f"{name:<11}{count:>{width}}" + (f"  {remark}" if remark else ""))
    if n_unmatched:
        note(f"note: {n_unmatched} rows of the labels fit no file that was found")
