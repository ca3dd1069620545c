"""A query and a hit, each explained by the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import WeightsError
from cbir.extractors.fusion import unit_rows
from classifiers.explain.overlay import Placed, heat_map, read_picture
from classifiers.explain.patches import PatchPair, patch_pairs
from classifiers.explain.resemblance import Resemblance, Target, resemblance
from classifiers.explain.seen import Seen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.extractors.extractor import Extractor
    from cbir.images.pool import DecodedFrame


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """An image that was decoded and seen.

    Args:
        seen: by the extractor.
        picture: JPEG of the image as read, or of its region, up to 1024 px a side.
        size: width and height of what the picture shows, as read.
    """

    seen: Seen
    picture: bytes
    size: tuple[int, int]

    @classmethod
    def at(cls, extractor: Extractor, frame: DecodedFrame, *, size: tuple[int, int] | None = None) -> Looked:
        """Look at a frame that was decoded by ``explained_plans``; of a region, with the region's size."""
        return cls(Seen.of(extractor, frame), frame.thumbnail, size or (frame.info.width, frame.info.height))


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One image of a pair, explained.

    Args:
        resemblance: to the other one.
        heat: its map, of the picture's size.
        picture: the image itself.
    """

    resemblance: Resemblance
    heat: NDArray[np.float64]
    picture: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """What there is to show; a side without a map is None.

    Args:
        query: where the query resembles the hit.
        hit: where the hit resembles the query; None also where its file could not be read.
        patches: places that are each other's best match.
    """

    query: Side | None
    hit: Side | None
    patches: tuple[PatchPair, ...]


def explain_pair(query: Looked, hit: Looked | NDArray[np.float32], extractor: Extractor) -> Pair:
    """Explain a query and a hit by each other; of images in parts, the two parts that made the score.

    Args:
        query: seen.
        hit: seen; or, where its file is gone, its stored embeddings, (n_parts, dim): then only the query's
            side is there, and none of it by feature matching.
        extractor: that saw them.

    Raises:
        WeightsError: no branch gives a map.
    """
    if not query.seen.has_map:
        raise WeightsError(_no_map(extractor))
    in_parts = extractor.spec.tiles is not None and extractor.spec.tiles.keep == "parts"
    ours = query.seen.embedded(extractor)
    theirs = hit.seen.embedded(extractor) if isinstance(hit, Looked) else hit
    asked, found = query.seen, hit.seen if isinstance(hit, Looked) else None
    if in_parts:
        one, other = np.unravel_index(int((ours @ theirs.T).argmax()), (len(ours), len(theirs)))
        asked, ours, theirs = asked.only(int(one)), ours[[one]], theirs[[other]]
        found = None if found is None else found.only(int(other))
    ours, theirs = (unit_rows(rows.mean(axis=0, keepdims=True)) for rows in (ours, theirs))
    target = Target(theirs[0], found.pooled() if found else (None,) * len(asked.maps))
    query_side = _side(resemblance(asked, target, extractor), query, asked, extractor)
    if found is None or not isinstance(hit, Looked):
        return Pair(query_side, None, ())
    back = resemblance(found, Target(ours[0], asked.pooled()), extractor)
    hit_side = _side(back, hit, found, extractor)
    return Pair(query_side, hit_side, tuple(_patches(asked, found, back, extractor)))


def _patches(query: Seen, hit: Seen, found: Resemblance, extractor: Extractor) -> list[PatchPair]:
    """Of the branch that adds most to the cosine."""
    mapped = [number for number, maps in enumerate(query.maps) if maps is not None]
    branch = max(mapped, key=lambda number: found.branches[number].part)
    return patch_pairs(query, hit, branch, extractor.spec.branches[branch].input_shape)


def _side(found: Resemblance, looked: Looked, seen: Seen, extractor: Extractor) -> Side | None:
    if not found.has_map:
        return None
    placed = []
    for number, branch in enumerate(found.branches):
        if branch.grids is None:
            continue
        _, height, width = extractor.spec.branches[number].input_shape
        placed += [
            Placed(grid, placement, width, height)
            for grid, placement in zip(branch.grids, seen.placements[number], strict=True)
        ]
    rows, columns = read_picture(looked.picture).shape[:2]
    return Side(found, heat_map(placed, looked.size, (columns, rows)), looked.picture)


def _no_map(extractor: Extractor) -> str:
    if all(branch.is_handcrafted for branch in extractor.spec.branches):
        return f"Extractor {extractor.spec.name} has descriptors alone: nothing says where they resemble."
    return (
        f"The networks of extractor {extractor.spec.name} give no feature maps here: the index was built "
        "before there were explanations (build it again), or they have none."
    )
