"""Another system's run, judged over the items of an index by the whole protocol."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice

from cbir.errors import ItemsError
from cbir.evaluation.protocol import Search, Study
from cbir.evaluation.trec.read import Run


def search_of_run(run: Run, *, among: Collection[str] | None = None) -> Search:
    """A search that answers with a run's lists.

    A list shorter than asked for ends where it ends, and a query that the run lacks finds nothing: it counts
    0 in every measure that has a value without hits, as with trec_eval's ``-c``. ``notes_of_run`` says how
    many there are.

    Args:
        run: by the query's id, best first.
        among: the ids that may be found; None for all. Others leave before the cut.
    """

    def search(query_ids: Sequence[str], depth: int) -> list[list[str]]:
        return [
            list(islice((item for item in run.get(each, ()) if among is None or item in among), depth))
            for each in query_ids
        ]

    return search


def check_run(run: Run, item_ids: Collection[str], *, query_ids: Collection[str] | None = None) -> None:
    """Refuse a run over other items, before anything is measured.

    Args:
        run: by the query's id, best first.
        item_ids: of the whole gallery.
        query_ids: of all that may ask; None to take any.

    Raises:
        ItemsError: the run found an item that the gallery lacks, or answers none of the queries.
    """
    known = frozenset(item_ids)
    strange = {item for items in run.values() for item in items if item not in known}
    if strange:
        raise ItemsError(
            f"The run found {len(strange)} items that are not among the gallery's {len(known)}, for example "
            f"{min(strange)}. Give a run over the same items, by their ids in the index."
        )
    if query_ids is not None and not run.keys() & frozenset(query_ids):
        raise ItemsError(
            f"None of the run's {len(run)} queries is among the {len(query_ids)} that may ask, for example "
            f"{min(run)}. Give a run of the same queries, by their ids in the index."
        )


def notes_of_run(study: Study, run: Run) -> tuple[str, ...]:
    """A sentence for each thing that a reader of the numbers must know of the run; none if there is nothing.

    Args:
        study: made with ``search_of_run`` of this run.
        run: by the query's id.
    """
    asked = len(study.query_ids)
    missing = sum(each not in run for each in study.query_ids)
    short = sum(
        each in run and ranking.n_hits < min(study.k, ranking.n_eligible)
        for each, ranking in zip(study.query_ids, study.rankings, strict=True)
    )
    unasked = len(run.keys() - frozenset(study.query_ids))
    notes = []
    if missing:
        notes.append(
            f"{missing} of {asked} queries are not in the run: they found nothing and count 0; measures of "
            "the hits' labels leave them out"
        )
    if short:
        notes.append(
            f"for {short} of {asked} queries the run ends before {study.k} eligible hits: without the query, "
            "its group and items without a label"
        )
    if unasked:
        notes.append(f"{unasked} of the run's {len(run)} queries were not asked")
    return tuple(notes)
