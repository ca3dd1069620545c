"""The queries that went best and worst, with what they found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cbir.evaluation.protocol import Study
from cbir.evaluation.summary import values_of
from cbir.types import Item

N_QUERIES = 4
"""Of each kind."""

N_HITS = 8
"""Of each query."""


@dataclass(frozen=True, slots=True)
class Pictured:
    """An image of the report.

    Args:
        id: of the item.
        name: of its file.
        label: what was asked or found.
        picture: JPEG; empty when there is none.
        rank: of a hit, from 1; None of a query.
        is_right: whether a hit has the query's label; None of a query.
    """

    id: str
    name: str
    label: str
    picture: bytes
    rank: int | None = None
    is_right: bool | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and its first hits.

    Args:
        query: itself.
        hits: at most ``N_HITS``, best first.
        precision: P@k.
        average_precision: AP@k.
    """

    query: Pictured
    hits: tuple[Pictured, ...]
    precision: float
    average_precision: float


@dataclass(frozen=True, slots=True)
class Extremes:
    """Best first, and worst first; no query is in both."""

    best: tuple[Asked, ...]
    worst: tuple[Asked, ...]


def extremes_of(
    study: Study,
    *,
    item: Callable[[str], Item],
    query: Callable[[str], Item],
    thumbnail: Callable[[str], bytes],
    query_thumbnail: Callable[[str], bytes],
) -> Extremes:
    """Order the queries by P@k, then AP@k, then id, and take both ends.

    Args:
        study: what was asked and found.
        item: of the gallery, by id.
        query: by id.
        thumbnail: of an item of the gallery: JPEG, empty when it has none.
        query_thumbnail: of a query.
    """
    precision, average = values_of(study, "precision"), values_of(study, "average_precision")
    order = sorted(range(len(precision)), key=lambda at: (-precision[at], -average[at], study.query_ids[at]))
    n_best, n_worst = min(N_QUERIES, (len(order) + 1) // 2), min(N_QUERIES, len(order) // 2)
    id_at = {place: item_id for item_id, place in study.pool.places.items()}

    def asked(at: int) -> Asked:
        query_id, label = study.query_ids[at], study.rankings[at].label
        hits = zip(study.hits[at][:N_HITS].tolist(), study.rankings[at].labels.tolist(), strict=False)
        return Asked(
            Pictured(query_id, _name(query(query_id)), study.classes[label], query_thumbnail(query_id)),
            tuple(
                Pictured(
                    id=id_at[place],
                    name=_name(item(id_at[place])),
                    label=study.classes[code],
                    picture=thumbnail(id_at[place]),
                    rank=number,
                    is_right=code == label,
                )
                for number, (place, code) in enumerate(hits, start=1)
            ),
            float(precision[at]),
            float(average[at]),
        )

    return Extremes(_all(asked, order[:n_best]), _all(asked, order[::-1][:n_worst]))


def _all(asked: Callable[[int], Asked], places: Sequence[int]) -> tuple[Asked, ...]:
    return tuple(asked(at) for at in places)


def _name(item: Item) -> str:
    """The file's, with the frame where it is not the first; a path may be of another system."""
    name = item.path.replace("\\", "/").rsplit("/", 1)[-1]
    return f"{name} [{item.frame}]" if item.frame else name
