"""What a point says of its row: the columns of the row's items, for filters and for Qdrant's own pages.

The columns are flat, as ``Item`` and ``where`` name them: ``id``, ``frame``, ``label``, ``group`` and every
metadata column; what is technical is under ``cbir``. A row that several items share (the same bytes under
several names) has a list of the values that a column has, and is marked as shared. The path stays at home:
paths name patients, and a payload may lie on another's server.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from cbir.items.where import OWN_COLUMNS, Kind, kind_of
from indexer.storage.records import JSON

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cbir.types import Item
    from indexer.catalog import Catalog, Place

TECHNICAL = "cbir"
"""The key of what is not a column: ids, shared, head, part, frame, sha256, box; on a server, index."""

SHARED = f"{TECHNICAL}.shared"
THUMBNAIL = "thumbnail"
"""The key of the picture's address: Qdrant's page shows it when it ends as a picture's name does."""

_LARGEST_INTEGER = 2**53

_RESERVED = frozenset({TECHNICAL, THUMBNAIL, *OWN_COLUMNS})
_UNQUOTABLE = re.compile(r'["\\]')


def columns_of(items: Iterable[Item]) -> dict[str, Kind]:
    """The columns that the engine can filter by as ``where`` would, each of one kind, by name.

    Left out are columns of several kinds, names that Qdrant's paths can't say (with a quote or a backslash),
    values that it would round or refuse, and the id: it leaves so few rows that they need no engine.
    """
    kinds: dict[str, set[Kind | None]] = {}
    for item in items:
        for name, value in _columns(item):
            if value is not None and name != "id":
                kinds.setdefault(name, set()).add(_kind(value))
    return {
        name: kind
        for name, found in sorted(kinds.items())
        if len(found) == 1 and not _UNQUOTABLE.search(name) and (kind := next(iter(found))) is not None
    }


def indexes(
    columns: Mapping[str, Kind], *, tenant: str | None = None
) -> Iterator[tuple[str, dict[str, JSON]]]:
    """The payload indexes to make before the first point: the key, and Qdrant's JSON for its index.

    Args:
        columns: as ``columns_of`` gives them.
        tenant: the column that keeps tenants apart, if there is one; points of a group lie together, too.
    """
    forms: dict[Kind, dict[str, JSON]] = {
        "text": {"type": "keyword"},
        "number": {"type": "float"},  # holds integers, too, and all that filters ask of either is a range
        "truth": {"type": "bool"},
    }
    for name, kind in columns.items():
        form = forms[kind]
        together = kind == "text" and name in ("group", tenant)
        yield key_of(name), {**form, "is_tenant": True} if together else form
    yield SHARED, forms["truth"]


def payloads(
    catalog: Catalog, start: int, stop: int, *, thumbnail_url: str | None = None
) -> list[dict[str, JSON]]:
    """What the points of the rows from ``start`` to before ``stop`` say, in the order of the rows.

    Args:
        catalog: of the generation.
        start: the first row.
        stop: behind the last row.
        thumbnail_url: where pictures are served, ``{id}`` standing for the item's id; None for nowhere.
    """
    query = "SELECT row, head, part, frame, sha256 FROM contents WHERE row >= ? AND row < ? ORDER BY row"
    contents = catalog.rows(query, start, stop)
    places = catalog.places_of([content[0] for content in contents])
    made = []
    for row, head, part, frame, sha256 in contents:
        place = places[row]
        technical: dict[str, JSON] = {
            "ids": [item.id for item in place.items],
            "head": head,
            "part": part,
            "frame": frame,
            "sha256": sha256.hex(),
        }
        made.append(_payload(place, technical, thumbnail_url))
    return made


def key_of(column: str) -> str:
    """A column's name as a path in Qdrant's JSON: quoted, so that dots and brackets are part of the name."""
    return f'"{column}"'


def sayable(value: JSON) -> JSON:
    """The value as JSON can carry it and the engine keeps it; text for a number that it would not.

    Qdrant compares numbers as float64, and knows no NaN, no infinity and no lone surrogates.
    """
    match value:
        case int() if abs(value) > _LARGEST_INTEGER:
            return str(value)
        case float() if not math.isfinite(value):
            return str(value)
        case str():
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value


def _payload(place: Place, technical: dict[str, JSON], thumbnail_url: str | None) -> dict[str, JSON]:
    values: dict[str, list[JSON]] = {}
    for item in place.items:
        for name, value in _columns(item):
            said = sayable(value)
            if said is not None and said not in values.setdefault(name, []):
                values[name].append(said)
    payload: dict[str, JSON] = {
        name: found[0] if len(found) == 1 else found for name, found in values.items() if found
    }
    if len(place.items) > 1:
        technical["shared"] = True
    if place.box is not None:
        technical["box"] = list(place.box)
    payload[TECHNICAL] = technical
    if thumbnail_url is not None and place.items:
        payload[THUMBNAIL] = thumbnail_url.replace("{id}", place.items[0].id)
    return payload


def _columns(item: Item) -> Iterator[tuple[str, JSON]]:
    yield from (("id", item.id), ("frame", item.frame), ("label", item.label), ("group", item.group))
    yield from ((name, value) for name, value in item.metadata.items() if name not in _RESERVED)


def _kind(value: JSON) -> Kind | None:
    """What it is; None where the engine would be told something else."""
    said = sayable(value)
    return (
        kind_of(value)
        if isinstance(value, str | int | float) and (said, type(said)) == (value, type(value))
        else None
    )
