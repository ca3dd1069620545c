"""What an extractor is worth on patients that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cbir.evaluation.pairing import Paired, compare_studies
from cbir.evaluation.protocol import rank_queries
from cbir.evaluation.summary import Summary, summarise
from cbir.types import Item

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.evaluation.protocol import Search, Study
    from cbir.training.material import Material, Part

K = 10
"""Of every P@k here."""

_SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Measured:
    """A part asks the training part, by the trained extractor and by the one it started from.

    Args:
        study: by the trained one.
        before: by the start.
        summary: of the trained one, with chance beside every measure.
        paired: macro P@10, the trained one minus the start, on the same queries.
    """

    study: Study
    before: Study
    summary: Summary
    paired: Paired

    @property
    def is_better(self) -> bool:
        """Whether it beats its start: the paired test says so, and the interval lies above zero."""
        test = self.paired.comparison
        return test.interval is not None and test.interval.low > 0 and test.p_value < _SIGNIFICANT


def measure(
    material: Material,
    trained: NDArray[np.float32],
    start: NDArray[np.float32],
    part: Part = "test",
    *,
    seed: int = 0,
) -> Measured | None:
    """Measure a part of the images; None where it has none.

    Args:
        material: what was trained on.
        trained: (n_images, dim), unit rows, by the trained extractor.
        start: likewise, by the one it started from.
        part: who asks; the training part is the gallery.
        seed: of the draws of intervals and permutations.

    Raises:
        ItemsError: no image of the part could be answered.
    """
    if not len(material.rows(part)):
        return None
    study, before = (study_part(material, vectors, part) for vectors in (trained, start))
    return Measured(study, before, summarise(study, seed=seed), compare_studies(study, before, seed=seed))


def study_part(material: Material, vectors: NDArray[np.float32], part: Part, k: int = K) -> Study:
    """Let every image of a part ask the training part.

    Args:
        material: images, labels, groups and parts.
        vectors: (n_images, dim), unit rows.
        part: who asks; of ``train`` each image's own group is left out.
        k: the cut.

    Raises:
        ItemsError: nothing could be answered.
    """
    queries, gallery = material.rows(part), material.rows("train")
    items = items_of(material)
    return rank_queries(
        [items[row] for row in queries],
        search_of(vectors, items, gallery),
        k,
        gallery=None if part == "train" else [items[row] for row in gallery],
    )


def items_of(material: Material) -> list[Item]:
    """The images as the protocol knows them; ids keep the images' order."""
    return [
        Item(f"{row:09}", image.path, label=material.classes[code], group=group)
        for row, (image, code, group) in enumerate(
            zip(material.images, material.codes.tolist(), material.groups, strict=True)
        )
    ]


def search_of(vectors: NDArray[np.float32], items: Sequence[Item], gallery: NDArray[np.intp]) -> Search:
    """Search some of the images exactly, by cosine; equal scores by id.

    Args:
        vectors: (n_images, dim), unit rows.
        items: their items, ids ascending.
        gallery: which of them may be found, ascending.
    """
    row_of = {item.id: row for row, item in enumerate(items)}
    there = vectors[gallery]

    def search(query_ids: Sequence[str], depth: int) -> list[list[str]]:
        scores = vectors[[row_of[each] for each in query_ids]] @ there.T
        order = np.argsort(-scores, axis=1, kind="stable")[:, :depth]
        return [[items[row].id for row in gallery[found]] for found in order]

    return search
