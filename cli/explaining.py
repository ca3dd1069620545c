"""`cbir search --explain DIR`: for each hit, where it resembles the query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from cbir.errors import FingerprintError
from classifiers.explain.folder import ExplainFolder
from classifiers.explain.overlay import overlay, png, read_picture, small_jpeg
from classifiers.explain.pair import Looked, Pair, Side, explain_pair
from cli.exit_codes import UsageProblem
from cli.looking import Looking
from cli.renderers.answer import ExplainedHit

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from cbir.extractors.spec import ExtractorSpec
    from cbir.images.steps import JSON
    from cbir.images.tiles import Box
    from cbir.types import Hit
    from cli.question import Question
    from cli.settings import Settings
    from indexer.index import Index

_DIGITS = 9
_QUERY, _HIT = "rank-{:02d}-query.png", "rank-{:02d}-hit.png"


def explanation(
    index: Index, question: Question, path: Path, settings: Settings
) -> Callable[[Sequence[Hit]], dict[str, ExplainedHit]]:
    """Refuse before the search what can't be explained after it; give what explains the hits.

    Raises:
        CbirError: the folder is somebody else's.
        FingerprintError: the index has no network.
        UsageProblem: the query is no image.
    """
    if question.text is None:
        raise UsageProblem("--explain shows where hits resemble an image: name one, a file or an item.")
    if not index.spec.can_embed:
        raise FingerprintError(
            f"Index {index.path} holds embeddings imported as {index.spec.name} and no network: nothing says "
            "where images resemble. Search without --explain."
        )
    folder = ExplainFolder(path)
    folder.check([name.format(rank + 1) for rank in range(question.k) for name in (_QUERY, _HIT)])
    return partial(_explain_hits, index, question, settings, folder)


def _explain_hits(
    index: Index, question: Question, settings: Settings, folder: ExplainFolder, hits: Sequence[Hit]
) -> dict[str, ExplainedHit]:
    """Write the pictures of every hit, and ``explain.json``; what a page shows of each, by item id.

    Raises:
        CbirError: the query can't be read again, or the networks give no maps.
        OSError: the disk refused.
    """
    text, region = str(question.text), question.region
    pictures: dict[str, bytes] = {}
    told: list[JSON] = []
    shown: dict[str, ExplainedHit] = {}
    with Looking(index, settings) as looking:
        query = looking.query(text, region)
        for hit in hits:
            looked, note = looking.hit(hit)
            pair = explain_pair(query, looked, looking.extractor)
            of_hit = looked.picture if isinstance(looked, Looked) else index.thumbnail(hit.item.id)
            sides = (_coloured(pair.query, query.picture), _coloured(pair.hit, of_hit))
            for name, pixels in zip((_QUERY, _HIT), sides, strict=True):
                if pixels is not None:
                    pictures[name.format(hit.rank)] = png(pixels)
            told.append(_told(hit, pair, index.spec, region, note))
            small = [b"" if pixels is None else small_jpeg(pixels) for pixels in sides]
            shown[hit.item.id] = ExplainedHit(small[0], small[1], _method(pair), note)
    document: dict[str, JSON] = {
        "query": {"text": text, "roi": None if region is None else list(region)},
        "index": {"name": index.path.name, "fingerprint": index.fingerprint, "generation": index.generation},
        "hits": told,
    }
    folder.write(pictures, document)
    return shown


def _coloured(side: Side | None, picture: bytes) -> NDArray[np.uint8] | None:
    """The picture with its map; without one where there is none."""
    if side is not None:
        return overlay(picture, side.heat)
    return read_picture(picture) if picture else None


def _method(pair: Pair) -> str:
    """How the query's side was found, in words."""
    if pair.query is None:
        return "no map"
    methods = {branch.method for branch in pair.query.resemblance.branches} - {"none"}
    return " and ".join(
        sorted({"shares": "shares of the score", "matching": "feature matching"}[each] for each in methods)
    )


def _told(hit: Hit, pair: Pair, spec: ExtractorSpec, region: Box | None, note: str) -> JSON:
    right, down = (0, 0) if region is None else region[:2]
    return {
        "rank": hit.rank,
        "id": hit.item.id,
        "path": hit.item.path,
        "score": hit.score,
        "query": _side_told(pair.query, spec, _QUERY.format(hit.rank)),
        "hit": _side_told(pair.hit, spec, _HIT.format(hit.rank)),
        "patches": [
            {
                "query": [each.query[0] + right, each.query[1] + down],
                "hit": list(each.hit),
                "cosine": round(each.cosine, 6),
            }
            for each in pair.patches
        ],
        "note": note or None,
    }


def _side_told(side: Side | None, spec: ExtractorSpec, name: str) -> JSON:
    if side is None:
        return None
    found = side.resemblance
    return {
        "file": name,
        "cosine": round(found.cosine, _DIGITS),
        "branches": [
            {"backbone": branch.backbone, "method": shares.method, "part": round(shares.part, _DIGITS)}
            for branch, shares in zip(spec.branches, found.branches, strict=True)
        ],
        "offset": round(found.offset, _DIGITS),
    }
