"""A classifier that an index carries, beside the vote of its labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cbir.errors import CalibrationError
from deploy.labelling.attached import attached_classifier

if TYPE_CHECKING:
    from cbir.types import Item
    from classifiers.attached import AttachedClassifier
    from indexer.index import Index


def stored_posteriors(
    index: Index, name: str, ids: Sequence[str], classes: Sequence[str]
) -> NDArray[np.float64]:
    """(n, n_classes), what an attached classifier said of items, in the order of the labels' classes.

    Raises:
        AttachmentError: nothing is attached under the name.
        CalibrationError: its classes are not those of the labels.
    """
    there = attached_classifier(index, name)
    return there.posteriors(ids)[:, order_of(index, there, classes)].astype(np.float64)


def order_of(index: Index, there: AttachedClassifier, classes: Sequence[str]) -> list[int]:
    """Where each class of the labels stands among the classifier's.

    Raises:
        CalibrationError: the classes are not the same.
    """
    known = there.settings.classes
    if set(known) != set(classes):
        raise CalibrationError(
            f"Classifier {there.name!r} knows {', '.join(known)}, the labels of index {index.path} are "
            f"{', '.join(classes)}. Attach one of the same classes, or name their column: --label."
        )
    return [known.index(each) for each in classes]


def not_learned_from(index: Index, name: str | None, known: Sequence[Item]) -> list[Item]:
    """The items that a classifier has not learned from: of the others it seems to know more than it does.

    Raises:
        CalibrationError: it learned from all of them.
    """
    if name is None:
        return list(known)
    learned = attached_classifier(index, name).learned_from([item.id for item in known]).tolist()
    fresh = [item for item, has in zip(known, learned, strict=True) if not has]
    if known and not fresh:
        raise CalibrationError(
            f"Classifier {name!r} learned from all {len(known)} items that would ask. Let others ask, those "
            "of its validation part: --items split=val."
        )
    return fresh
