"""Images to the vectors that `cbir index build` would give them, in memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import SpecError
from cbir.extractors.tiling import join_tiles
from cbir.images.answering import answer_files
from cbir.images.decoding import Decoding, Unread, decode_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from cbir.extractors.extractor import Extractor
    from cbir.extractors.spec import ExtractorSpec
    from cbir.images.pool import DecodedFrame

_MOST_TILES = 64


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedImages:
    """Vectors of files.

    Args:
        rows: (n,), of which of the files each is, ascending; a file that gives several frames is there as
            often.
        vectors: (n, dim), unit rows.
        contents: by row, the file's sha256.
        unread: the files that gave none.
    """

    rows: NDArray[np.intp]
    vectors: NDArray[np.float32]
    contents: dict[int, str]
    unread: tuple[Unread, ...]


def embed_files(
    extractor: Extractor,
    paths: Sequence[str],
    decoding: Decoding | None = None,
    *,
    on_file: Callable[[], None] = lambda: None,
) -> EmbeddedImages:
    """Read, decode, prepare and embed files, as ``cbir index build`` does.

    Args:
        extractor: whose images are one vector each: without tiles, or with their mean.
        paths: absolute.
        decoding: None for the defaults.
        on_file: called after each file, in this thread.

    Raises:
        CbirError: decoding workers can't be started at all.
        SpecError: the extractor keeps an image's tiles apart.
    """
    refuse_parts(extractor.spec)
    rows: list[int] = []
    vectors: list[NDArray[np.float32]] = []
    contents: dict[int, str] = {}
    unread: list[Unread] = []
    spec = extractor.spec
    grid = spec.tiles.grid if spec.tiles else None
    decoded = decode_files(paths, spec.read, spec.plans(), decoding or Decoding(), tiles=grid)
    for outcome in answer_files(decoded, partial(_frame_rows, extractor), on_file=on_file):
        if isinstance(outcome, Unread):
            unread.append(outcome)
            continue
        file, found = outcome
        rows.extend([file.row] * len(found))
        vectors.extend(found)
        contents[file.row] = file.sha256
    joined = np.stack(vectors) if vectors else np.zeros((0, extractor.dim), dtype=np.float32)
    return EmbeddedImages(np.array(rows, dtype=np.intp), joined, contents, tuple(unread))


def refuse_parts(spec: ExtractorSpec) -> None:
    """Refuse an extractor that gives an image several vectors.

    Raises:
        SpecError: it does.
    """
    if spec.tiles and spec.tiles.keep == "parts":
        raise SpecError(
            f"Extractor {spec.name!r} gives every tile of an image a vector of its own (keep = parts), and a "
            "training takes one vector an image. Write keep = mean in its page, or leave the tiles out."
        )


def _frame_rows(extractor: Extractor, frames: Sequence[DecodedFrame]) -> list[NDArray[np.float32]]:
    plans = [np.concatenate(plan) for plan in zip(*(frame.prepared for frame in frames), strict=True)]
    starts = range(0, len(plans[0]), _MOST_TILES)
    tiles = np.concatenate(
        [extractor.embed([plan[start : start + _MOST_TILES] for plan in plans]) for start in starts]
    )
    ends = np.cumsum([len(frame.prepared[0]) for frame in frames])[:-1]
    return [join_tiles(each, extractor.spec.tiles)[0] for each in np.split(tiles, ends)]
