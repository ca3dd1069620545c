"""What a step from one format to the next is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Document: TypeAlias = dict[str, Any]
"""A manifest as JSON has it; what is in it depends on the format."""


@dataclass(frozen=True, slots=True)
class Step:
    """From a format to the next one. Never changed once it is released: the indexes are out there.

    Embeddings and thumbnails are never rewritten: every format reads the blocks of those before.

    Args:
        manifest: from a manifest's document to the next format's.
        catalog: SQL statements, run one after the other in one transaction.
    """

    manifest: Callable[[Document], Document]
    catalog: tuple[str, ...]
