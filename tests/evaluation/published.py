"""The embeddings that were published with CDD-CESM, ranked whole: the plain sort that parity is about."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from cbir.evaluation.protocol import Study, rank_queries
from cbir.types import Item


def published_items(shared_data: Path) -> tuple[list[Item], np.ndarray]:
    """742 items by BI-RADS (6 as 5), with patients, and their unit vectors."""
    folder = shared_data / "data" / "cdd_cesm_biomedclip_embeddings"
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    vectors = np.load(folder / "image_features.npy").astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    items = [
        Item(
            f"i{number:04}",
            f"/c/{number}",
            label=str(min(int(row["birads_ordinal"]), 5)),
            group=row["patient_id"],
        )
        for number, row in enumerate(rows)
    ]
    return items, vectors


def whole_study(items: list[Item], vectors: np.ndarray) -> Study:
    """Every query's whole list by cosine, cut nowhere."""
    order = np.argsort(-(vectors @ vectors.T), axis=1, kind="stable")
    places = {item.id: place for place, item in enumerate(items)}

    def search(query_ids, depth):
        return [[items[place].id for place in order[places[each]][:depth]] for each in query_ids]

    return rank_queries(items, search, len(items))
