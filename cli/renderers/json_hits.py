"""Hits as a JSON document."""

from __future__ import annotations

import json

from cbir.types import Hit
from cli.renderers.answer import Answer, Reranked

VERSION = 1
"""Goes up when a field changes its meaning or goes away; new fields may come any time."""


def render_json(answer: Answer) -> str:
    r"""One document, in ASCII: a byte of a file name that is not UTF-8 is ``\udcXX`` (surrogateescape)."""
    document = {
        "cbir": "hits",
        "version": VERSION,
        "query": {
            "text": answer.query,
            "item": answer.query_item,
            "label": answer.query_label,
            "notes": list(answer.notes),
            "roi": None if answer.region is None else list(answer.region),
            "like": list(answer.like),
            "unlike": list(answer.unlike),
        },
        "k": answer.k,
        "where": answer.where or None,
        "refine": list(answer.refined_by),
        "index": {
            "name": answer.index.name,
            "fingerprint": answer.fingerprint,
            "generation": answer.generation,
            "items": answer.n_items,
        },
        "rerank": _rerank(answer.reranked),
        "hits": [_hit(hit, answer.reranked) for hit in answer.hits],
        "labels": answer.labels(),
        **_predicted(answer),
        "seconds": {name: round(value, 6) for name, value in answer.seconds.items()},
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _predicted(answer: Answer) -> dict[str, object]:
    """What it is, where that was asked."""
    if answer.predicted is None:
        return {}
    from cli.renderers.prediction import prediction_document

    return {"prediction": prediction_document(answer.predicted)}


def _rerank(done: Reranked | None) -> dict[str, object] | None:
    if done is None:
        return None
    return {
        "by": done.by,
        "depth": done.depth,
        "blend": done.blend,
        "tuned": done.is_tuned,
        "posterior": dict(done.posterior) or None,
    }


def _hit(hit: Hit, reranked: Reranked | None) -> dict[str, object]:
    item = hit.item
    parts: dict[str, object] = {}
    if reranked is not None:
        parts = {"cosine": reranked.cosines[item.id], "agreement": reranked.agreements[item.id]}
    return {
        "rank": hit.rank,
        "score": hit.score,
        **parts,
        "id": item.id,
        "path": item.path,
        "frame": item.frame,
        "label": item.label,
        "group": item.group,
        "metadata": dict(item.metadata),
        "box": None if hit.box is None else list(hit.box),
    }
