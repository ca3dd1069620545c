"""Items as callers may see them: no paths, and patients under pseudonyms."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from cbir.errors import SpecError, WhereError
from cbir.items.where import Condition, leaves, parse_where
from deploy.service.models import HitAnswer, ItemAnswer, LabelledHit, PredictionAnswer, RerankingAnswer
from deploy.service.problems import without_paths

if TYPE_CHECKING:
    from cbir.types import Hit, Item
    from deploy.labelling.predicting import Predicted
    from deploy.service.judging import Reranked

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

    def hit(self, hit: Hit, reranked: Reranked | None = None) -> HitAnswer:
        """A hit, and how it was ordered anew."""
        name = hit.item.id
        return HitAnswer(
            rank=hit.rank,
            score=hit.score,
            cosine=None if reranked is None else reranked.cosines[name],
            agreement=None if reranked is None else reranked.agreements[name],
            item=self.item(hit.item),
            box=None if hit.box is None else list(hit.box),
        )

    def prediction(self, predicted: Predicted) -> PredictionAnswer:
        """What a query is.

        Raises:
            SpecError: the labels are what is not shown.
        """
        if predicted.column in self.hidden:
            raise SpecError(f"The labels are in column {predicted.column}, which is not shown here.")
        said = predicted.prediction
        return PredictionAnswer(
            column=predicted.column,
            label=said.label,
            candidate=said.candidate,
            probability=said.probability,
            calibrated=said.is_calibrated,
            risk=predicted.risk,
            abstains=said.why or None,
            label_set=list(said.label_set),
            probabilities=dict(said.probabilities),
            k=predicted.k,
            support=[_labelled(hit) for hit in said.support],
            against=[_labelled(hit) for hit in said.against],
            n_unlabelled=said.n_unlabelled,
            note=without_paths(predicted.note) or None,
        )

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


def reranking(done: Reranked) -> RerankingAnswer:
    """How hits were ordered anew."""
    return RerankingAnswer(
        by=done.by, depth=done.depth, blend=done.blend, tuned=done.is_tuned, posterior=dict(done.posterior)
    )


def _labelled(hit: Hit) -> LabelledHit:
    return LabelledHit(rank=hit.rank, score=hit.score, id=hit.item.id, label=hit.item.label)
