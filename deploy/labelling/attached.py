"""Classifiers that an index carries, by the names that they are attached under."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.errors import AttachmentError, SpecError
from cbir.printable import printable

if TYPE_CHECKING:
    from classifiers.attached import AttachedClassifier
    from indexer.index import Index


def attached_classifiers(index: Index) -> list[str]:
    """The names of those that are attached."""
    from classifiers.attached import is_classifier

    return [name for name in index.attachments() if is_classifier(index.attachment(name).settings)]


def attached_classifier(index: Index, name: str) -> AttachedClassifier:
    """One of them.

    Raises:
        AttachmentError: there is none of that name; those there are, are said.
    """
    from classifiers.attached import AttachedClassifier, AttachedSettings

    there = attached_classifiers(index)
    if name not in there:
        known = f"attached are {', '.join(there)}" if there else "none is attached"
        raise AttachmentError(
            f"Index {index.path} has no classifier {printable(name)!r}: {known}. Attach one: "
            f"cbir classify attach RUN -i {index.path}"
        )
    attachment = index.attachment(name)
    try:
        return AttachedClassifier(name, AttachedSettings.from_dict(attachment.settings), attachment.values)
    except SpecError as error:
        raise AttachmentError(f"{name!r} of index {index.path} can't be used: {error}.") from error
