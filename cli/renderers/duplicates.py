"""What a search for duplicates found, as a table, JSON or CSV: a line a pair."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cbir.items.phash import N_BITS, NEAR_BITS
from cbir.items.where.holds import value_of
from cli.renderers.table import columns

if TYPE_CHECKING:
    from cbir.types import Item, Scalar
    from indexer.duplicates import Duplicates, Kind, Pair

VERSION = 1
_WHAT: dict[Kind, str] = {"bytes": "same bytes", "pixels": "same pixels", "near": "near"}
_SIDES = ("id", "label", "group", "path")


def render_duplicates(found: Duplicates) -> str:
    """Aligned columns; nothing where there is none."""
    if not found.clusters:
        return ""
    across = [found.across] if found.across and found.across not in _SIDES else []
    names = [*across, *_SIDES]
    header = ["kind", "cluster", "score", "picture", "patients", *names, *names]
    rows = []
    for kind, number, pair in _pairs(found):
        patients = "TWO" if pair.crosses_groups else ""
        sides = [_text(value_of(item, name)) for item in (pair.first, pair.second) for name in names]
        rows.append([_WHAT[kind], str(number), f"{pair.score:.4f}", _picture(pair), patients, *sides])
    return columns([header, *rows], keep=("kind", "cluster", "score"))


def render_duplicates_csv(found: Duplicates) -> str:
    """A line a pair; the second item's columns end in ``_2``."""
    names = [*_SIDES, *([found.across] if found.across and found.across not in _SIDES else [])]
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    header = ["kind", "cluster", "score", "differing_bits", "turn", "crosses_groups"]
    writer.writerow([*header, *names, *(f"{name}_2" for name in names)])
    for kind, number, pair in _pairs(found):
        sides = [value_of(item, name) for item in (pair.first, pair.second) for name in names]
        facts = (kind, number, f"{pair.score:.6f}", pair.n_bits, pair.turn, str(pair.crosses_groups).lower())
        writer.writerow([*facts, *sides])
    return page.getvalue()


def render_duplicates_json(found: Duplicates) -> str:
    r"""One document, in ASCII: a byte of a file name that is not UTF-8 is ``\udcXX`` (surrogateescape)."""
    document = {
        "cbir": "duplicates",
        "version": VERSION,
        "near": found.near,
        "across": found.across,
        "items": found.n_items,
        "crowded": found.n_crowded,
        "counts": found.counts(),
        "clusters": [
            {
                "kind": cluster.kind,
                "crosses_groups": cluster.crosses_groups,
                "items": [_item(item, found.across) for item in cluster.items],
                "pairs": [_pair(pair) for pair in cluster.pairs],
            }
            for cluster in found.clusters
        ],
        "files_without_item": list(found.files),
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def verdict(found: Duplicates) -> list[str]:
    """What to say beside it, a line each."""
    counts = ", ".join(f"{_WHAT[kind]} {count}" for kind, count in found.counts().items())
    across = f" across {found.across}" if found.across else ""
    lines = [f"{found.n_items} items looked at{across}, near from {found.near:g} on: {counts}"]
    if n_crossing := sum(cluster.crosses_groups for cluster in found.clusters):
        lines.append(f"{n_crossing} of them are of two patients or more")
    if found.files:
        lines.append(
            f"{len(found.files)} more files are an item's DICOM instance in other bytes, and no items"
        )
    if found.n_crowded:
        lines.append(f"{found.n_crowded} items have over a thousand near ones: some pairs may be missing")
    return lines


def _pairs(found: Duplicates) -> Iterator[tuple[Kind, int, Pair]]:
    for number, cluster in enumerate(found.clusters, start=1):
        for pair in cluster.pairs:
            yield cluster.kind, number, pair


def _picture(pair: Pair) -> str:
    if pair.n_bits is None:
        return ""
    if pair.n_bits > NEAR_BITS:
        return f"another ({pair.n_bits} of {N_BITS} bits)"
    return "the same" if pair.turn in {None, "as it is"} else f"the same, {pair.turn}"


def _pair(pair: Pair) -> dict[str, object]:
    return {
        "ids": [pair.first.id, pair.second.id],
        "score": pair.score,
        "differing_bits": pair.n_bits,
        "turn": pair.turn,
        "crosses_groups": pair.crosses_groups,
    }


def _item(item: Item, across: str | None) -> dict[str, object]:
    said: dict[str, object] = {name: value_of(item, name) for name in _SIDES}
    return said if across is None else said | {across: value_of(item, across)}


def _text(value: Scalar) -> str:
    return "" if value is None else str(value)
