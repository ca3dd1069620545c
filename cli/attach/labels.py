"""Whether a classifier's classes are those of an index."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cli.exit_codes import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classifiers.spec import ClassifierSpec
    from indexer.index import Index

_SHOWN = 5


def check_labels(index: Index, spec: ClassifierSpec, column: str) -> str | None:
    """Refuse an index with labels that the classifier has no class for.

    Args:
        index: that it is to be attached to.
        spec: of the classifier.
        column: of the items, with their labels.

    Returns:
        What a user should know all the same; None for nothing.

    Raises:
        ColumnError: no item has such a column.
        UsageProblem: labels that are no classes; they are named.
    """
    from cbir.items.part import values_of

    values = values_of(index.items(), column, str(index.path))
    found = Counter(value for _, value in values if value is not None)
    if strange := sorted(set(found) - set(spec.classes)):
        n_items = sum(found[each] for each in strange)
        raise UsageProblem(
            f"Classifier {spec.name} tells {_listed(spec.classes)} apart, and {n_items} items of "
            f"{index.path} have the {column} {_listed(strange)}. Name the column that has its classes, "
            "--label COLUMN, or say that there is none, --no-label."
        )
    if not found:
        return f"no item has a {column}: the classes are compared with nothing"
    missing = [each for each in spec.classes if each not in found]
    return f"no item has the {column} {_listed(missing)}, which the classifier knows" if missing else None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:_SHOWN])) + (" …" if len(names) > _SHOWN else "")
