"""A classifier that an index carries: what it says of the items is stored beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray

from cbir.errors import SpecError
from classifiers.rerank import RERANKERS, Agreement

KIND = "classifier"
UNTUNED = 0.5
"""The blend of a re-ranker that nobody tuned."""

_VERSION = 1
_LEARNED = "learned_from"
_CLASS = "p:"

Values = Callable[[Sequence[str]], NDArray[np.float32]]
"""Of items, by id: (n, n_columns), rows of NaN where nothing is known."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a blend was tuned on.

    Args:
        queries: who asked, as the user said it.
        label: the column that said what is relevant.
        k: how many hits were judged.
        n_queries: that asked.
        difference: of macro P@k to the plain search.
        p_holm: of the paired test, corrected for all blends that were tried.
        generation: of the index.
    """

    queries: str
    label: str
    k: int
    n_queries: int
    difference: float
    p_holm: float
    generation: int


@dataclass(frozen=True, slots=True)
class AttachedSettings:
    """What an index keeps of a classifier beside its files.

    Args:
        classifier: its name, for people.
        fingerprint: of its spec.
        classes: in the order of the posteriors.
        is_ordinal: whether they are grades.
        label: the column of the items that has such classes; None where the index has none.
        reranker: of ``RERANKERS``.
        blend: of similarity and agreement.
        tuned: what on; None where nobody has.
    """

    classifier: str
    fingerprint: str
    classes: tuple[str, ...]
    is_ordinal: bool
    label: str | None
    reranker: str = "agreement"
    blend: float = UNTUNED
    tuned: Tuned | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """What is stored of an item: a probability a class, and 1 where its image was learned from."""
        return (*(_CLASS + name for name in self.classes), _LEARNED)

    @classmethod
    def from_dict(cls, said: object) -> Self:
        """What ``to_dict`` wrote.

        Raises:
            SpecError: something else, or a later version of it.
        """
        if not is_classifier(said):
            raise SpecError(
                "what is attached is no classifier: name one that cbir classify attach has attached"
            )
        values = dict(cast("Mapping[str, object]", said))
        if values.get("version") != _VERSION:
            raise SpecError(f"its settings have version {values.get('version')}, this cbir reads {_VERSION}")
        try:
            chosen = {each.name: values[each.name] for each in fields(cls)}
            tuned = chosen["tuned"]
            chosen["tuned"] = None if tuned is None else Tuned(**cast("dict[str, object]", tuned))  # type: ignore[arg-type]  # as asdict wrote it
            chosen["classes"] = tuple(cast("list[str]", chosen["classes"]))
            return cls(**chosen)  # type: ignore[arg-type]  # likewise
        except (KeyError, TypeError) as error:
            raise SpecError(f"its settings make no sense: {error!r}") from error

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        return {"kind": KIND, "version": _VERSION, **asdict(self), "classes": list(self.classes)}


class AttachedClassifier:
    """What a classifier said of an index's items, and the re-ranker over it; takes no network."""

    def __init__(self, name: str, settings: AttachedSettings, values: Values) -> None:
        """Take it from an attachment.

        Args:
            name: that it is attached under.
            settings: of the attachment.
            values: likewise.
        """
        self.name = name
        self.settings = settings
        self._values = values

    def posteriors(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """(n, n_classes), of items; rows of NaN where the classifier was never asked."""
        return self._values(ids)[:, : len(self.settings.classes)]

    def learned_from(self, ids: Sequence[str]) -> NDArray[np.bool_]:
        """(n,), whether the classifier learned from the item's image."""
        learned: NDArray[np.bool_] = self._values(ids)[:, len(self.settings.classes)] == 1
        return learned

    def reranker(self, *, blend: float | None = None, asked: NDArray[np.float32] | None = None) -> Agreement:
        """The re-ranker that the settings name.

        Args:
            blend: instead of the settings'.
            asked: (n_classes,), the query's posterior; None for items of the index, whose own is known.
        """
        settings = self.settings
        return RERANKERS[settings.reranker](
            self.posteriors, settings.is_ordinal, settings.blend if blend is None else blend, asked
        )


def is_classifier(settings: object) -> bool:
    """Whether these are the settings of an attached classifier."""
    return isinstance(settings, dict) and settings.get("kind") == KIND
