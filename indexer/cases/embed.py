"""The files of one examination as a query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cbir.errors import ImageError, SkipReason, VectorError
from cbir.images.files import SlideFile, read_file_or_slide
from cbir.images.pool import DecodePool
from cbir.images.settings import DecodeLimits
from cbir.items import Found, Refused
from cbir.types import Embedder, Scalar
from indexer.asking.query import QueryImage, embed_image, embed_slide_query
from indexer.cases.aspect import aspect_of
from indexer.cases.hits import CaseImage
from indexer.index import Index


@dataclass(frozen=True, slots=True)
class EmbeddedImage:
    """An image of a query, and what a person wants to see of it.

    Args:
        image: ready for ``CaseSearcher.search``.
        seen: thumbnail, notes, and what the file says about itself.
    """

    image: CaseImage
    seen: QueryImage


@dataclass(frozen=True, slots=True)
class EmbeddedCase:
    """What became of every file: an image, the same as another, or skipped.

    Args:
        images: in the order of the files.
        duplicates: files with the bytes of another.
        skipped: files that are no image, or can't be read, with their reasons.
    """

    images: tuple[EmbeddedImage, ...]
    duplicates: tuple[str, ...]
    skipped: tuple[Refused, ...]


def embed_case(
    index: Index,
    files: Iterable[Found | Refused],
    *,
    pool: DecodePool,
    embedder: Embedder,
    limits: DecodeLimits,
) -> EmbeddedCase:
    """Read, decode and embed files one after the other.

    Side and view are those that an items file gives, else those of the index where it has the image, else
    what the file itself says. The group is found in the same order.

    Args:
        index: to be searched.
        files: as ``find_items`` finds them.
        pool: of the index's spec.
        embedder: likewise.
        limits: what one file may cost.
    """
    images: list[EmbeddedImage] = []
    duplicates: list[str] = []
    skipped: list[Refused] = []
    seen: set[str] = set()
    for file in files:
        if isinstance(file, Refused):
            skipped.append(file)
            continue
        try:
            read = read_file_or_slide(file.path, limits, slides=index.spec.slides)
            if read.sha256 in seen:
                duplicates.append(file.path)
                continue
            found = (
                embed_slide_query(index, read, pool=pool, embedder=embedder)
                if isinstance(read, SlideFile)
                else embed_image(index, read.data, read.sha256, pool=pool, embedder=embedder)
            )
        except ImageError as error:
            skipped.append(Refused(file.path, error.reason, error.detail))
        except VectorError as error:
            skipped.append(Refused(file.path, SkipReason.BAD_EMBEDDING, str(error)))
        else:
            seen.add(read.sha256)
            images.append(_embedded(file, found, _known(index, read.sha256)))
    return EmbeddedCase(tuple(images), tuple(duplicates), tuple(skipped))


def _known(index: Index, sha256: str) -> Mapping[str, Scalar]:
    items = index.items_by_content(sha256)
    return items[0].metadata if items else {}


def _embedded(file: Found, found: QueryImage, known: Mapping[str, Scalar]) -> EmbeddedImage:
    said = {**found.info.metadata(), **known, **{k: v for k, v in file.metadata.items() if v is not None}}
    query = found.query if file.group is None else replace(found.query, group=file.group)
    return EmbeddedImage(CaseImage(file.path, query, aspect_of(said)), found)
