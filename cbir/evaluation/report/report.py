"""Everything a report says, as one value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.comparison import holm
from cbir.evaluation.pairing import Paired
from cbir.evaluation.protocol import Study
from cbir.evaluation.report.class_bars import ClassBar, class_bars
from cbir.evaluation.report.confusion import Confusion, confusion_of
from cbir.evaluation.report.curve import Curve, curve_of
from cbir.evaluation.report.extremes import Extremes, extremes_of
from cbir.evaluation.report.map2d import Map, map_of
from cbir.evaluation.report.provenance import Provenance
from cbir.evaluation.summary import Summary
from cbir.types import Item


@dataclass(frozen=True, slots=True)
class Compared:
    """Another index on the same queries.

    Args:
        name: of the other.
        paired: how the first differs from it in macro P@k.
        p_holm: its p-value, corrected for the number of comparisons.
    """

    name: str
    paired: Paired
    p_holm: float


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """The parts of the page, in their order.

    Args:
        provenance: where the numbers come from.
        summary: every measure, chance beside it, and the verdicts.
        classes: the labels; a code is a place in it.
        n_gallery: labelled items.
        curve: P@k by k.
        bars: P@k by class.
        confusion: labels of the hits by the query's.
        map: the embeddings on a plane; None where there are none to show.
        extremes: the best and the worst queries.
        compared: other indexes.
        notes: whatever a reader of the numbers must know.
    """

    provenance: Provenance
    summary: Summary
    classes: tuple[str, ...]
    n_gallery: int
    curve: Curve
    bars: tuple[ClassBar, ...]
    confusion: Confusion
    map: Map | None
    extremes: Extremes
    compared: tuple[Compared, ...]
    notes: tuple[str, ...]


def report_of(
    study: Study,
    summary: Summary,
    provenance: Provenance,
    *,
    item: Callable[[str], Item],
    query: Callable[[str], Item],
    thumbnail: Callable[[str], bytes],
    query_thumbnail: Callable[[str], bytes],
    embeddings: Callable[[Sequence[str]], NDArray[np.float32]] | None,
    compared: Sequence[tuple[str, Paired]] = (),
    seed: int = 0,
) -> Report:
    """Make every part of a report.

    Args:
        study: what was asked and found.
        summary: its numbers; with P@k among them.
        provenance: where they come from.
        item: of the gallery, by id.
        query: by id.
        thumbnail: of an item of the gallery: JPEG, empty when it has none.
        query_thumbnail: of a query.
        embeddings: ids of items of the gallery to their rows, (n, dim); None for no map.
        compared: names of other indexes, with comparisons of macro P@k.
        seed: of every draw.

    Raises:
        ValueError: the summary is without P@k, or cut at another k than the study.
    """
    if "precision" not in summary.rows or summary.k != study.k:
        raise ValueError(
            f"The study is cut at k = {study.k}, the summary at k = {summary.k} with the measures "
            f"{', '.join(summary.rows)}: summarise this study, precision included."
        )
    corrected = holm([paired.comparison.p_value for _, paired in compared])
    return Report(
        provenance=provenance,
        summary=summary,
        classes=study.classes,
        n_gallery=int(study.gallery.sum()),
        curve=curve_of(study, seed=seed),
        bars=class_bars(study, seed=seed),
        confusion=confusion_of(study),
        map=None if embeddings is None else map_of(study, embeddings, seed=seed),
        extremes=extremes_of(
            study, item=item, query=query, thumbnail=thumbnail, query_thumbnail=query_thumbnail
        ),
        compared=tuple(
            Compared(name, paired, p_holm) for (name, paired), p_holm in zip(compared, corrected, strict=True)
        ),
        notes=study.notes,
    )
