"""What a reader of the numbers must know: who was left out, and what no ranking could have reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from cbir.evaluation.pool import Pool
from cbir.evaluation.ranking import Ranking
from cbir.types import Item

_MAX_SHOWN = 5


def notes_of(
    queries: Sequence[Item],
    answerable: Sequence[Item],
    rankings: Sequence[Ranking],
    *,
    pool: Pool,
    classes: Mapping[str, int],
    k: int,
) -> tuple[str, ...]:
    """A sentence for each thing; none when there is nothing to say.

    Args:
        queries: all that were to be asked.
        answerable: those that were.
        rankings: theirs.
        pool: the gallery.
        classes: a code for every label.
        k: the cut.
    """
    notes = []
    if n := sum(query.label is None for query in queries):
        notes.append(f"{n} of {len(queries)} queries have no label and were not asked")
    if n := pool.n_unlabelled:
        notes.append(f"{n} of {pool.n_items} items have no label and could not be found")
    notes += _left_out(queries, answerable, pool, classes)
    asked = {query.label for query in answerable}
    if empty := [label for label in classes if label not in asked and pool.counts[classes[label]]]:
        notes.append(
            f"no query is of {_quoted(empty)}: the macro mean is over the other {len(asked)} classes"
        )
    if n := sum(ranking.n_eligible < k for ranking in rankings):
        notes.append(f"{n} queries could find fewer than {k} items; P@{k} divides by {k} all the same")
    elif n := sum(ranking.n_relevant < k for ranking in rankings):
        best = sum(min(k, ranking.n_relevant) / k for ranking in rankings) / len(rankings)
        notes.append(
            f"for {n} queries there are fewer than {k} items of their label: no search could reach more than "
            f"micro P@{k} {best:.4f}"
        )
    return (*notes, *_ungrouped(answerable))


def _left_out(
    queries: Sequence[Item], answerable: Sequence[Item], pool: Pool, classes: Mapping[str, int]
) -> list[str]:
    kept = {query.id for query in answerable}
    left = Counter(query.label for query in queries if query.label is not None and query.id not in kept)
    causes = {
        "the gallery lacks": {label: n for label, n in left.items() if not pool.counts[classes[label]]},
        "only their own group has": {label: n for label, n in left.items() if pool.counts[classes[label]]},
    }
    return [
        f"queries left out: {sum(counts.values())} of label {_quoted(sorted(counts))}, which {cause}"
        for cause, counts in causes.items()
        if counts
    ]


def _ungrouped(queries: Sequence[Item]) -> list[str]:
    n = sum(query.group is None for query in queries)
    if not n:
        return []
    which = "no query has a group" if n == len(queries) else f"{n} of {len(queries)} queries have no group"
    meaning = (
        "only the query itself was left out, and each counts as a patient of its own; where patients have "
        "several images, the numbers are too good and the intervals too narrow"
    )
    return [f"{which}: {meaning}"]


def _quoted(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - _MAX_SHOWN} more" if len(labels) > _MAX_SHOWN else ""
    return ", ".join(map(repr, labels[:_MAX_SHOWN])) + more
