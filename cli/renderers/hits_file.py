"""The hits of many queries, a row a hit, written as they come: CSV or Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from cbir.types import Hit, Item, Scalar
from cli.renderers.where import where

if TYPE_CHECKING:
    import pyarrow as pa

FIXED: Mapping[str, type] = {
    "query_row": int, "query": str, "rank": int, "score": float, "id": str, "path": str, "frame": int,
    "label": str, "group": str, "box": str,
}  # fmt: skip
"""The columns of every such file, and what is in them; each metadata column follows by its own name."""


_ROWS_A_GROUP = 50_000
_INT64 = 1 << 63


class HitsFile(Protocol):
    """Takes the hits of one query after another."""

    def add(self, row: int, query: str, hits: Sequence[Hit]) -> None:
        """Write them.

        Args:
            row: of the query, from 1.
            query: as it was named.
            hits: best first.
        """
        ...

    def close(self) -> None:
        """Write what is left."""
        ...


def metadata_columns(items: Iterable[Item]) -> dict[str, type]:
    """The metadata columns of the items by name, each with the one type that holds all of its values."""
    kinds: dict[str, set[type]] = {}
    for item in items:
        for name, value in item.metadata.items():
            is_huge = isinstance(value, int) and not -_INT64 <= value < _INT64
            kinds.setdefault(name, set()).add(str if is_huge else type(value))
    return {name: _one_type(kinds[name] - {type(None)}) for name in sorted(set(kinds) - set(FIXED))}


class CsvHits:
    """Writes CSV; file names leave in the bytes that they have."""

    def __init__(self, target: IO[bytes], metadata: Mapping[str, type]) -> None:
        self._target, self._metadata = target, list(metadata)
        self._write([[*FIXED, *self._metadata]])

    def add(self, row: int, query: str, hits: Sequence[Hit]) -> None:
        """As ``HitsFile.add``."""
        self._write(
            [
                row, query, hit.rank, f"{hit.score:.6f}", hit.item.id, hit.item.path, hit.item.frame,
                hit.item.label, hit.item.group, where(hit),
                *(hit.item.metadata.get(name) for name in self._metadata),
            ]
            for hit in hits
        )  # fmt: skip

    def close(self) -> None:
        """Nothing is left: every line is written at once."""

    def _write(self, lines: Iterable[Sequence[object]]) -> None:
        page = io.StringIO()
        csv.writer(page, lineterminator="\n").writerows(lines)
        self._target.write(page.getvalue().encode("utf-8", "surrogateescape"))


class ParquetHits:
    r"""Writes Parquet, a row group every 50,000 hits; a name that is not UTF-8 is written with ``\udcXX``."""

    def __init__(self, target: Path, metadata: Mapping[str, type]) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        types = {int: pa.int64(), float: pa.float64(), bool: pa.bool_(), str: pa.string()}
        self._columns = {**FIXED, **metadata}
        self._schema: pa.Schema = pa.schema({name: types[kind] for name, kind in self._columns.items()})
        self._writer = parquet.ParquetWriter(target, self._schema)
        self._rows: list[dict[str, object]] = []

    def add(self, row: int, query: str, hits: Sequence[Hit]) -> None:
        """As ``HitsFile.add``."""
        for hit in hits:
            item = hit.item
            fixed: dict[str, Scalar] = {
                "query_row": row, "query": query, "rank": hit.rank, "score": hit.score, "id": item.id,
                "path": item.path, "frame": item.frame, "label": item.label, "group": item.group,
                "box": where(hit) or None,
            }  # fmt: skip
            values = {**item.metadata, **fixed}
            self._rows.append({name: _as(kind, values.get(name)) for name, kind in self._columns.items()})
        if len(self._rows) >= _ROWS_A_GROUP:
            self._flush()

    def close(self) -> None:
        """Write the last rows and the footer."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow as pa

        self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows = []


def _one_type(kinds: set[type]) -> type:
    if len(kinds) == 1:
        return next(iter(kinds))
    return float if kinds == {int, float} else str


def _as(kind: type, value: Scalar) -> object:
    if value is None:
        return None
    return str(value).encode("utf-8", "backslashreplace").decode() if kind is str else kind(value)
