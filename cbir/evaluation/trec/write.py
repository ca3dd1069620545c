"""A study as the two files that other tools judge it by."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cbir.errors import ItemsError
from cbir.evaluation.protocol import Study
from cbir.types import Item


def write_run(study: Study, path: Path, *, tag: str = "cbir") -> None:
    """Write what was found: each query's hits without its group, as deep as the study is.

    The score is made of the rank (the last hit's is 1, each one above has 1 more). Tools order by score and
    break ties each in their own way; so all of them see the study's order. A query without a hit has no line:
    trec_eval counts it as 0 only with ``-c``.

    Args:
        study: what was asked and found.
        path: replaced whole, or left as it was.
        tag: the name of the run, without white space.

    Raises:
        ItemsError: an id with white space, or a file that can't be written.
        ValueError: a tag with white space, or an empty one.
    """
    if not _is_word(tag):
        raise ValueError(f"The tag {tag!r} is not one word; name the run without spaces.")
    _write(path, _run_lines(study, tag))


def write_qrels(study: Study, path: Path, *, queries: Sequence[Item] = ()) -> None:
    """Write what was relevant: every eligible item of each query's label.

    The query itself and its group are not eligible and have no line; nor have items of other labels, which
    TREC's tools take for not relevant.

    Args:
        study: what was asked and found.
        path: replaced whole, or left as it was.
        queries: those that asked; needed for queries that the gallery lacks while it has their group.

    Raises:
        ItemsError: an id with white space, or a file that can't be written.
        ValueError: the group of a query is not known: give ``queries``.
    """
    _write(path, _qrels_lines(study, {query.id: query.group for query in queries}))


def _run_lines(study: Study, tag: str) -> Iterator[str]:
    ids = _checked([*study.pool.places])
    for query_id, hits in zip(_checked(study.query_ids), study.hits, strict=True):
        for rank, place in enumerate(hits, start=1):
            yield f"{query_id} Q0 {ids[place]} {rank} {len(hits) - rank + 1} {tag}\n"


def _qrels_lines(study: Study, groups: Mapping[str, str | None]) -> Iterator[str]:
    ids = _checked([*study.pool.places])
    alike = [np.flatnonzero(study.pool.codes == code) for code in range(len(study.classes))]
    for number, query_id in enumerate(_checked(study.query_ids)):
        ranking, own = study.rankings[number], int(study.own[number])
        group = groups.get(query_id, study.pool.groups[own] if own >= 0 else None)
        relevant = _eligible(study, alike[ranking.label], query_id, group)
        if len(relevant) != ranking.n_relevant:
            raise ValueError(
                f"Query {query_id} has {ranking.n_relevant} relevant items, without its group; of "
                f"{len(relevant)} that is not known which. Give write_qrels the queries."
            )
        yield "".join(f"{query_id} 0 {ids[place]} 1\n" for place in relevant)


def _eligible(study: Study, places: NDArray[np.int64], query_id: str, group: str | None) -> NDArray[np.int64]:
    pool = study.pool
    left_out = [*(pool.members.get(group, ()) if group is not None else ()), pool.places.get(query_id, -1)]
    return places[~np.isin(places, left_out)]


def _checked(ids: Sequence[str]) -> Sequence[str]:
    for each in ids:
        if not _is_word(each):
            raise ItemsError(f"The id {each!r} is not one word, and TREC separates fields by white space.")
    return ids


def _is_word(text: str) -> bool:
    return text.split() == [text]


def _write(path: Path, lines: Iterable[str]) -> None:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("x", encoding="utf-8", newline="\n") as file:
            file.writelines(lines)
        beside.replace(path)
    except OSError as error:
        raise ItemsError(f"{path} can't be written: {error.strerror}. Choose another folder.") from error
    except UnicodeEncodeError as error:
        bad = ascii(error.object[max(error.start - 30, 0) : error.end])
        raise ItemsError(f"{path} can't be written: an id is not UTF-8, near {bad}.") from None
    finally:
        with suppress(OSError):
            beside.unlink()
