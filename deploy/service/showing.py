"""Items as callers may see them: no paths, and patients under pseudonyms."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from cbir.errors import WhereError
from cbir.items.where import Condition, leaves, parse_where
from deploy.service.models import HitAnswer, ItemAnswer

if TYPE_CHECKING:
    from cbir.types import Hit, Item

_N_HEX = 16


class Showing:
    """What of an item is answered.

    Args:
        show_groups: as the index has them; else under pseudonyms that no other process can make.
    """

    def __init__(self, *, show_groups: bool) -> None:
        self._secret = None if show_groups else secrets.token_bytes(32)
        self.hidden = frozenset({"path"} if show_groups else {"path", "group"})

    def item(self, item: Item) -> ItemAnswer:
        """An item."""
        return ItemAnswer(
            id=item.id,
            label=item.label,
            group=self._group(item.group),
            frame=item.frame,
            metadata=dict(item.metadata),
        )

    def hit(self, hit: Hit) -> HitAnswer:
        """A hit."""
        box = None if hit.box is None else list(hit.box)
        return HitAnswer(rank=hit.rank, score=hit.score, item=self.item(hit.item), box=box)

    def condition(self, text: str | None) -> Condition | None:
        """A condition on what a caller may see.

        Raises:
            WhereError: it can't be understood, or asks for what is not shown.
        """
        if text is None:
            return None
        condition = parse_where(text)
        for leaf in leaves(condition):
            if leaf.column in self.hidden:
                raise WhereError(
                    f"The column {leaf.column} is not shown here: leave it out of the condition."
                )
        return condition

    def _group(self, group: str | None) -> str | None:
        if group is None or self._secret is None:
            return group
        return hmac.new(self._secret, group.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[
            :_N_HEX
        ]
