"""Everything that can be found in an index, as a file: items, what is known of them, embeddings."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbir import __version__
from cbir.errors import IndexWriteError, SpecError
from indexer.asking.tenants import tenant_column
from indexer.exporting.survey import survey
from indexer.storage.opened import open_generation

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.storage.opened import Opened

FORMAT = 1
"""Of exports."""

TENANT_COLUMN = "cbir.tenant_column"
"""Key of the schema."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Args:
        files: in the order in which they appeared.
        n_items: in them.
        n_rows: one an item; of images in parts, one a part.
        n_bytes: of all files.
    """

    files: tuple[Path, ...]
    n_items: int
    n_rows: int
    n_bytes: int


def export_index(path: Path, target: Path) -> Exported:
    """Write the newest generation as Parquet, or as .npy with an items file beside it.

    Rows are in the order of the paths, those of all tenants. What was removed is not in it, thumbnails and
    networks are not either. Memory stays small. A file appears when it is whole.

    Args:
        path: of the index directory.
        target: ends with ``.parquet``; or with ``.npy``, and then NAME.csv and NAME.json are written, too.
            None of them may be there.

    Raises:
        SpecError: another suffix.
        IndexMissingError: there is no index.
        IndexDamagedError: a file of it is missing or does not fit its checksum.
        IndexWriteError: something is at the target, or the disk refused.
        ItemsError: a path that CSV can't hold.
    """
    from indexer.exporting import matrix, parquet

    suffix = target.suffix.lower()
    if suffix not in {".parquet", ".npy"}:
        raise SpecError(f"{str(target)!r} ends with {suffix!r}; an export is a .parquet or an .npy file.")
    files = (target,) if suffix == ".parquet" else matrix.files_of(target)
    if taken := next((each for each in files if os.path.lexists(each)), None):
        raise IndexWriteError(f"{str(taken)!r} is there already. Name another file, or delete it.")
    opened = open_generation(path)
    try:
        found = survey(opened.catalog)
        write = parquet.write if suffix == ".parquet" else matrix.write
        n_bytes = write(target, opened, found, _said(opened))
    finally:
        opened.catalog.close()
    return Exported(files, found.n_items, found.n_rows, n_bytes)


def _said(opened: Opened) -> dict[str, str]:
    """What an export says of where it is from; and by which column its tenants are kept apart, if by any."""
    manifest, tenants = opened.manifest, tenant_column(opened.catalog)
    return {
        "cbir.export": str(FORMAT),
        "cbir.version": __version__,
        "cbir.fingerprint": manifest.fingerprint,
        "cbir.spec": json.dumps(dict(manifest.spec)),
        "cbir.index_format": str(manifest.format),
        "cbir.generation": str(manifest.generation),
        "cbir.updated": manifest.updated,
        **({} if tenants is None else {TENANT_COLUMN: tenants}),
    }
