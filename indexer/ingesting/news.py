"""Whether the PACS of an index have something that it does not know: nothing is fetched for that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cbir.items import Found, find_items, is_remote
from cbir.items.dicomweb import PacsAccess, PacsServers, is_pacs
from indexer.index import Index
from indexer.ingesting.memos import remembered_sources

if TYPE_CHECKING:
    from indexer.storage.records import FileRecord


def pacs_of(index: Index) -> list[str]:
    """The PACS among the sources that an index remembers."""
    sources = (source for each in remembered_sources(index) for source in each.sources)
    return list(dict.fromkeys(source for source in sources if is_pacs(source)))


def has_news(path: Path, access: PacsAccess, *, prune: bool) -> bool:
    """Whether an update would find something to do; it holds no lock and loads no network.

    Args:
        path: of the index directory.
        access: how its PACS are talked to.
        prune: ask, too, whether instances are gone.

    Raises:
        BackendError: a PACS is away.
        StoredIndexError: the index is missing or damaged.
    """
    with Index.open(path, resident=False) as index, PacsServers(access) as pacs:
        sources = pacs_of(index)
        known = {record.path: record for record in index.files() if is_remote(record.path)}
        return _is_new(sources, known, pacs) or (prune and any(pacs.has_lost(each) for each in known))


def _is_new(sources: Sequence[str], known: dict[str, FileRecord], pacs: PacsServers) -> bool:
    """Takes what is listed as known out of ``known``."""
    for found in find_items(sources, pacs=pacs) if sources else ():
        record = known.pop(found.path, None)
        if not isinstance(found, Found) or found.remote is None:
            if record is None:
                return True
        elif record is None or record.mtime_ns != found.remote.version:
            return True
    return False
