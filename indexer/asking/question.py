"""What can't be asked of an index, said before anything is searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.errors import FingerprintError, TenantError
from cbir.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbir.types import Query
    from indexer.index import Index


def check_question(index: Index, queries: Sequence[Query], k: int) -> None:
    """Refuse what ``Index.search_many`` can't answer.

    Raises:
        ValueError: ``k`` below 1.
        FingerprintError: a query comes from another extractor.
        TenantError: the index keeps tenants, and was opened for none.
    """
    if k < 1:
        raise ValueError(f"k is {k}; ask for at least 1 hit.")
    for query in queries:
        if query.fingerprint != index.fingerprint:
            raise FingerprintError(
                f"Index {str(index.path)!r} was built with {index.spec.name} "
                f"({index.fingerprint[:8]}…), the query comes from another extractor "
                f"({query.fingerprint[:8]}…). Search with the index's own: drop --extractor."
            )
    if index.tenant is None and (column := index.tenant_column) is not None:
        raise TenantError(
            f"Index {str(index.path)!r} keeps its tenants apart by column {printable(column)!r}, and none "
            "was named. Say whose items are searched: --tenant NAME, or CBIR_TENANT."
        )
