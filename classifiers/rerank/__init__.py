"""Re-rankers: hits in, the same hits out in a new order. One file each, and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classifiers.rerank.agreement import Agreement

if TYPE_CHECKING:
    from collections.abc import Mapping

RERANKERS: Mapping[str, type[Agreement]] = {"agreement": Agreement}
"""By name, as an attached classifier's settings say it."""

__all__ = ["RERANKERS", "Agreement"]
