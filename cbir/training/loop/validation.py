"""How well a network finds the labels of images it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cbir.evaluation.baselines import BASELINES
from cbir.evaluation.protocol import rank_queries
from cbir.evaluation.summary import values_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.training.feeding.feed import Feed

K = 10
_MEASURE = "precision"


@dataclass(frozen=True, slots=True)
class Validation:
    """Macro P@10 of the validation part among the training part, and what comes out at random there."""

    precision: float
    random: float


def validate(feed: Feed, train: NDArray[np.float32], validation: NDArray[np.float32]) -> Validation:
    """Ask with every validation image among all training images, a query's own group left out.

    Args:
        feed: whose parts they are.
        train: (n_train, dim), unit rows.
        validation: (n_validation, dim), unit rows.

    Raises:
        ItemsError: no query can be answered, or the parts share a group.
    """
    gallery = [feed.items[index] for index in feed.train]
    queries = [feed.items[index] for index in feed.validation]
    by_id = np.argsort(np.array([item.id for item in gallery]), kind="stable")  # ties go by id
    rows = {item.id: row for item, row in zip(queries, validation, strict=True)}
    columns, ids = train[by_id].T, [gallery[place].id for place in by_id]

    def search(query_ids: Sequence[str], depth: int) -> list[list[str]]:
        scores = np.stack([rows[query_id] for query_id in query_ids]) @ columns
        order = np.argsort(-scores, axis=1, kind="stable")[:, :depth]
        return [[ids[place] for place in places] for places in order]

    study = rank_queries(queries, search, K, gallery=gallery)
    random = [BASELINES[_MEASURE].random(ranking, K) for ranking in study.rankings]
    return Validation(
        study.sample(values_of(study, _MEASURE)).mean("macro"), study.sample(random).mean("macro")
    )
