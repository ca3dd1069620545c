"""The items of an index ask what they are, each without its own patient: that calibrates its labels."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import TenantError
from cbir.types import Hit, Item
from classifiers.labels import LabelCalibration, LabelModel, Source
from classifiers.labels.fitting import Evidence, Promise, calibrate, foretell
from classifiers.labels.worth import Worth, worth_of
from classifiers.vote import Ballots
from cli.opening import open_index, open_writer
from cli.settings import Settings
from cli.terminal import note
from deploy.labelling.labels import ATTACHMENT, label_counts, labelled, labelled_hits
from deploy.labelling.posteriors import not_learned_from, stored_posteriors

if TYPE_CHECKING:
    from cbir.items.part import Selection
    from indexer.index import Index

MAX_QUERIES = 5000
"""Items that ask; of more, whole patients are drawn."""

_AT_ONCE = 256
_LINE_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Request:
    """What `cbir classify calibrate` is asked for.

    Args:
        column: that holds the label.
        items: that ask; the others are then the gallery. None for all, each with all others as its gallery.
        k: how many hits vote.
        promise: what answers keep to.
        classifier: the name of an attached one, whose posterior counts beside the vote; None for none.
        seed: of every draw.
    """

    column: str
    items: Selection | None
    k: int
    promise: Promise
    classifier: str | None
    seed: int


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What came of it.

    Args:
        made: what the index keeps.
        worth: what it is worth.
        counts: items that asked, of each label.
        n_drawn_from: items that could have asked.
        n_unlabelled: items that could have, had they a label.
        n_learned: that could have, had the classifier not learned from them.
    """

    made: LabelCalibration
    worth: Worth
    counts: Mapping[str, int]
    n_drawn_from: int
    n_unlabelled: int
    n_learned: int


def calibrate_index(request: Request, settings: Settings) -> Calibrated:
    """Calibrate, and keep it in the index.

    Raises:
        CbirError: no such index, column, part or classifier; nothing to calibrate with.
    """
    with open_writer(settings) as writer:
        with open_index(replace(settings, tenant=None)) as index:
            found = _calibrate(index, request)
        writer.attach(ATTACHMENT, settings=found.made.to_dict())  # type: ignore[arg-type]  # it is JSON
        writer.commit()
    return found


def _calibrate(index: Index, request: Request) -> Calibrated:
    if index.tenant_column is not None:
        raise TenantError(
            f"Index {index.path} keeps tenants (by {index.tenant_column}), and one calibration would tell "
            "each of them about the others' items. Calibrate an index of one tenant's items."
        )
    counts = label_counts(index, request.column)
    start = LabelModel.unfitted(counts, request.k)
    # By path: an id is of this index alone, and draws should be those of the next one of the same files.
    ordered = sorted(index.items(), key=lambda item: (item.path, item.frame, item.id))
    everything = [labelled(item, request.column) for item in ordered]
    chosen = request.items.of(everything, str(index.path)) if request.items else everything
    known = [item for item in chosen if item.label is not None]
    fresh = not_learned_from(index, request.classifier, known)
    asking = _drawn(fresh, request.seed)
    among = None
    if request.items:
        own = {item.id for item in chosen}
        among = frozenset(item.id for item in everything if item.id not in own)
    evidence = _evidence(index, asking, among, start, request)
    source = Source(
        column=request.column,
        fingerprint=index.fingerprint,
        generation=index.generation + 1,
        n_items=sum(counts.values()),
        n_queries=len(evidence),
        n_groups=len(np.unique(evidence.groups)),
        classifier=request.classifier,
    )
    made, foretold = calibrate(start, evidence, request.promise, source, seed=request.seed)
    alone = None
    if evidence.posteriors is not None:
        alone = foretell(start, replace(evidence, posteriors=None), seed=request.seed)
    worth = worth_of(evidence, foretold, made, vote_alone=alone, seed=request.seed)
    asked = np.bincount(evidence.codes, minlength=len(start.classes)).tolist()
    return Calibrated(
        made, worth, dict(zip(start.classes, asked, strict=True)),
        n_drawn_from=len(fresh), n_unlabelled=len(chosen) - len(known), n_learned=len(known) - len(fresh),
    )  # fmt: skip


def _evidence(
    index: Index, asking: Sequence[Item], among: frozenset[str] | None, start: LabelModel, request: Request
) -> Evidence:
    places = {label: code for code, label in enumerate(start.classes)}
    groups: dict[str, int] = {}
    hits = [labelled_hits(each, request.column) for each in _found(index, asking, among, request.k)]
    return Evidence(
        ballots=Ballots.of(hits, start.classes),
        codes=np.array([places[item.label or ""] for item in asking], dtype=np.int64),
        groups=np.array([groups.setdefault(_group(item), len(groups)) for item in asking], dtype=np.int64),
        posteriors=None
        if request.classifier is None
        else stored_posteriors(index, request.classifier, [item.id for item in asking], start.classes),
    )


def _found(index: Index, asking: Sequence[Item], among: frozenset[str] | None, k: int) -> Iterator[list[Hit]]:
    """The hits of each item without its patient and its own copies, in their order."""
    copies = {each: frozenset(ids) for ids in index.items_that_share("bytes") for each in ids}
    told = time.monotonic()
    for start in range(0, len(asking), _AT_ONCE):
        batch = asking[start : start + _AT_ONCE]
        queries = [
            replace(index.query(each.id), group=_group(each), without=copies.get(each.id, frozenset()))
            for each in batch
        ]
        yield from index.search_many(queries, k, exclude_same_group=True, among=among)
        if time.monotonic() - told >= _LINE_EVERY_S:
            told = time.monotonic()
            note(f"{start + len(batch)} of {len(asking)} items have asked")


def _drawn(known: Sequence[Item], seed: int) -> list[Item]:
    """All of them, or of too many those of patients drawn until there are enough."""
    if len(known) <= MAX_QUERIES:
        return list(known)
    names = sorted({_group(item) for item in known})
    order = {name: place for place, name in enumerate(np.random.default_rng(seed).permutation(names))}
    drawn = sorted(known, key=lambda item: (order[_group(item)], item.id))[:MAX_QUERIES]
    return [item for item in drawn if _group(item) != _group(drawn[-1])]


def _group(item: Item) -> str:
    """The patient, or a made-up one of its own."""
    return item.group if item.group is not None else f"item {item.id}"
