"""Reports of made embeddings, as a program would ask for them."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cbir.evaluation.pairing import Paired
from cbir.evaluation.protocol import Study, rank_queries
from cbir.evaluation.report import Provenance, Report, report_of
from cbir.evaluation.summary import summarise
from cbir.types import Item

PROVENANCE = Provenance(
    title="lesions.index by label",
    command="cbir evaluate -i lesions.index -k 5 --html report.html",
    index="lesions.index",
    extractor="quick",
    fingerprint="59ebc35c" * 8,
    generation=1,
    label="label",
    queries="each item, its own group left out",
    split_hash="0f0f" * 16,
    seed=0,
    versions={"cbir": "0.1.0", "python": "3.11.9"},
    made="2026-01-01 12:00 UTC",
)


@dataclass(frozen=True)
class Gallery:
    items: list[Item]
    vectors: NDArray[np.float32]

    def item(self, item_id: str) -> Item:
        return next(each for each in self.items if each.id == item_id)

    def rows(self, ids: Sequence[str]) -> NDArray[np.float32]:
        places = {each.id: place for place, each in enumerate(self.items)}
        return self.vectors[[places[each] for each in ids]]

    def search(self, ids: Sequence[str], depth: int) -> list[list[str]]:
        scores = self.rows(ids) @ self.vectors.T
        return [[self.items[at].id for at in np.argsort(-row, kind="stable")[:depth]] for row in scores]

    def study(self, k: int = 5) -> Study:
        return rank_queries(self.items, self.search, k)


def gallery_of(labels: Sequence[str | None], groups: Sequence[str | None], *, noise: float = 1.0) -> Gallery:
    """Items with unit vectors around one direction a label."""
    rng = np.random.default_rng(5)
    names = sorted({str(label) for label in labels})
    centres = rng.normal(size=(len(names), 12))
    codes = [names.index(str(label)) for label in labels]
    vectors = centres[codes] + noise * rng.normal(size=(len(labels), 12))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    items = [
        Item(f"i{number:03}", f"C:\\scans\\scan {number}.dcm", label=label, group=group)
        for number, (label, group) in enumerate(zip(labels, groups, strict=True))
    ]
    return Gallery(items, vectors.astype(np.float32))


def jpeg(item_id: str) -> bytes:
    grey = np.full((24, 24), sum(item_id.encode()) % 256, dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(grey).save(written, "JPEG")
    return written.getvalue()


def report_on(
    gallery: Gallery,
    *,
    k: int = 5,
    seed: int = 0,
    thumbnail: Callable[[str], bytes] = jpeg,
    has_map: bool = True,
    provenance: Provenance = PROVENANCE,
    compared: Sequence[tuple[str, Paired]] = (),
) -> Report:
    study = gallery.study(k)
    return report_of(
        study,
        summarise(study, seed=seed),
        provenance,
        item=gallery.item,
        query=gallery.item,
        thumbnail=thumbnail,
        query_thumbnail=thumbnail,
        embeddings=gallery.rows if has_map else None,
        compared=compared,
        seed=seed,
    )
