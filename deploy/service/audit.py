"""The audit trail: who searched when, for what (as a hash), and what was found (as ids)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from deploy.service.keys import Caller
from deploy.service.logs import JsonLines


class Audit:
    """A line a search.

    Args:
        lines: that it is written to.
    """

    def __init__(self, lines: JsonLines) -> None:
        self._lines = lines

    def searched(
        self,
        caller: Caller,
        index: str,
        *,
        generation: int,
        question: str,
        upload_sha256: str | None,
        hits: Sequence[str],
    ) -> None:
        """Somebody searched.

        Args:
            caller: who.
            index: by its name.
            generation: of the index.
            question: as it was asked, in JSON; its hash is kept.
            upload_sha256: of the image that was sent.
            hits: the ids of what was found.
        """
        asked = hashlib.sha256(f"{question}\n{upload_sha256 or ''}".encode()).hexdigest()
        self._lines.write(
            "searched",
            key=caller.id,
            tenant=caller.tenant,
            index=index,
            generation=generation,
            query_sha256=asked,
            hits=list(hits),
        )

    def close(self) -> None:
        """Close the file, where there is one."""
        self._lines.close()
