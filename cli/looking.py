"""Images of a search, read again to be explained."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from cbir.errors import CbirError, ImageError
from cbir.extractors.exported import open_exported
from cbir.images.files import SlideFile, read_file_or_slide
from cbir.images.pool import DecodePool
from cbir.printable import printable
from classifiers.explain.overlay import SHOWN_SIDE_PX
from classifiers.explain.pair import Looked
from classifiers.explain.seen import VIEWS, explained_plans
from indexer.asking.query import middle_frame
from indexer.ingesting.memos import remembered_policy

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

    from cbir.extractors.extractor import Extractor
    from cbir.images.tiles import Box
    from cbir.types import Hit
    from cli.settings import Settings
    from indexer.index import Index

_ONE_SIDE = "only the query's side could be computed"


class Looking:
    """Looks at files as the index's extractor does, in its original view.

    Args:
        index: open.
        settings: what one file may cost.
    """

    def __init__(self, index: Index, settings: Settings) -> None:
        spec = index.spec
        self.index = index
        self._limits = settings.limits
        self._pool = DecodePool(
            spec.read, explained_plans(spec), tiles=spec.tiles.grid if spec.tiles else None,
            slides=spec.slides, policy=remembered_policy(index), limits=settings.limits, n_workers=1,
            thumbnail_side_px=SHOWN_SIDE_PX,
        )  # fmt: skip

    @cached_property
    def extractor(self) -> Extractor:
        """The index's, of one view."""
        return open_exported(self.index.spec, self.index.model_dir, tta=VIEWS)

    def query(self, text: str, region: Box | None) -> Looked:
        """Look at the query: a file, or the file of an item.

        Raises:
            CbirError: it can't be read, or is not what the index holds any more.
        """
        if os.path.lexists(text):
            path, item_id, frame = text, None, None
        else:
            item = self.index.item(text)
            path, item_id, frame = item.path, item.id, item.frame
        looked = self._look(path, item_id, frame, region)
        if isinstance(looked, str):
            raise CbirError(f"{printable(text)} can't be explained: {looked}. Search without --explain.")
        return looked

    def hit(self, hit: Hit) -> tuple[Looked | NDArray[np.float32], str]:
        """Look at a hit; where its file can't be read, its stored embeddings, (n_parts, dim), and a note."""
        looked = self._look(hit.item.path, hit.item.id, hit.item.frame, None)
        if isinstance(looked, Looked):
            return looked, ""
        return np.atleast_2d(self.index.query(hit.item.id).embedding), f"{looked}; {_ONE_SIDE}"

    def _look(self, path: str, item_id: str | None, number: int | None, region: Box | None) -> Looked | str:
        """Look at a file; text, where it can't be looked at."""
        try:
            file = read_file_or_slide(path, self._limits, slides=self.index.spec.slides)
            if isinstance(file, SlideFile):
                return "a whole slide is not explained: the box of a hit says which tile made its score"
            if item_id is not None and not self._is_content_of(item_id, file.sha256):
                return "its file changed since it was indexed"
            frames = self._pool.decode(file.data, region=region)
        except ImageError as error:
            return f"its file can't be read ({error})"
        frame = next((each for each in frames if each.frame == number), middle_frame(frames))
        return Looked.at(self.extractor, frame, size=None if region is None else region[2:])

    def _is_content_of(self, item_id: str, sha256: str) -> bool:
        return any(item.id == item_id for item in self.index.items_by_content(sha256))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()
