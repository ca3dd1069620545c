"""Runs and relevance judgements of other systems, read line by line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from cbir.errors import ItemsError

Run = Mapping[str, tuple[str, ...]]
"""The ids of the items found, best first, by the query's id."""

Qrels = Mapping[str, Mapping[str, int]]
"""How relevant each judged item is, by the query's id and the item's; 1 and more is relevant."""

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")
_RUN = ("query", "Q0", "item", "rank", "score", "tag")
_QRELS = ("query", "0", "item", "relevance")


def read_run(path: Path) -> Run:
    """Read what a system answered, each query's items best first.

    By score, the highest first; of equal scores the greater id first (by code points). Both as trec_eval does
    it, which ignores the rank column, too. Queries are in the order in which the file first names them; lines
    without a word are skipped.

    Raises:
        ItemsError: a line that is no ``query Q0 item rank score tag``, a score that is no number, an item
            twice in a query, nothing in the file, or a file that can't be read.
    """
    found: dict[str, dict[str, float]] = {}
    for where, (query, _, item, _, score, _) in _lines(path, _RUN):
        items = found.setdefault(query, {})
        _refuse_twice(item in items, where, query, item)
        items[item] = _score(score, where)
    _refuse_nothing(path, len(found))
    return {query: _best_first(items) for query, items in found.items()}


def read_qrels(path: Path) -> Qrels:
    """Read what was relevant, as judged.

    Raises:
        ItemsError: a line that is no ``query 0 item relevance``, a relevance that is no whole number, an item
            twice in a query, nothing in the file, or a file that can't be read.
    """
    judged: dict[str, dict[str, int]] = {}
    for where, (query, _, item, relevance) in _lines(path, _QRELS):
        items = judged.setdefault(query, {})
        _refuse_twice(item in items, where, query, item)
        if not _WHOLE_NUMBER.fullmatch(relevance):
            raise ItemsError(f"{where}: the relevance {relevance!r} is not a whole number.")
        items[item] = int(relevance)
    _refuse_nothing(path, len(judged))
    return judged


def _lines(path: Path, fields: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Where each line is, and its fields."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                words = line.split()
                if not words:
                    continue
                where = f"{path}, line {number}"
                if len(words) != len(fields):
                    raise ItemsError(
                        f"{where}: {len(words)} fields where TREC has {len(fields)}: {' '.join(fields)}."
                    )
                yield where, words
    except UnicodeDecodeError:
        raise ItemsError(f"{path} is not UTF-8 text. Give a run or qrels of TREC, unpacked.") from None
    except OSError as error:
        raise ItemsError(f"{path} can't be read: {error.strerror}.") from error


def _score(text: str, where: str) -> float:
    try:
        score = math.nan if "_" in text else float(text)
    except ValueError:
        score = math.nan
    if math.isnan(score):
        raise ItemsError(f"{where}: the score {text!r} is not a number.")
    return score


def _best_first(items: Mapping[str, float]) -> tuple[str, ...]:
    ranked = sorted(((score, item) for item, score in items.items()), reverse=True)
    return tuple(item for _, item in ranked)


def _refuse_twice(is_twice: bool, where: str, query: str, item: str) -> None:  # noqa: FBT001  # private
    if is_twice:
        raise ItemsError(f"{where}: the item {item} is there twice for query {query}.")


def _refuse_nothing(path: Path, n_queries: int) -> None:
    if not n_queries:
        raise ItemsError(f"{path} is empty: there is no query in it.")
