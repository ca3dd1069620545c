"""What a report shows of what was measured: images, or cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cbir.types import Item
from indexer.cases.stand_ins import stand_ins
from indexer.index import Index
from indexer.study import StudyPlan, case_column_of


@dataclass(frozen=True, slots=True)
class Shown:
    """By id: of an item, or of a case.

    Args:
        items: all of them.
        item: one.
        thumbnail: JPEG; of a case its first image's.
        vector: (dim,), the mean of all embeddings of it.
    """

    items: Callable[[], Iterable[Item]]
    item: Callable[[str], Item]
    thumbnail: Callable[[str], bytes]
    vector: Callable[[str], NDArray[np.float32]]

    @classmethod
    def of(cls, index: Index, plan: StudyPlan) -> Self:
        """What a study of an open index by a plan was over."""

        def vector(item_id: str) -> NDArray[np.float32]:
            mean: NDArray[np.float32] = np.atleast_2d(index.query(item_id).embedding).mean(axis=0)
            return mean

        if plan.cases is None:
            return cls(index.items, index.item, index.thumbnail, vector)
        column = case_column_of(index, plan.cases)
        cases = stand_ins(list(index.items(where=plan.where)), column, "agree", str(index.path))

        def vector_of_case(case: str) -> NDArray[np.float32]:
            mean: NDArray[np.float32] = np.mean([vector(each) for each in cases.table.items[case]], axis=0)
            return mean

        return cls(
            cases.items.values,
            cases.items.__getitem__,
            lambda case: index.thumbnail(cases.table.items[case][0]),
            vector_of_case,
        )
