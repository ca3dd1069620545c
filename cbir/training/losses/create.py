"""A recipe's terms: what the network answered and the labels, to the number that is made small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn.functional import normalize

from cbir.training.losses import OF_LOGITS
from cbir.training.losses.centre import CentreLoss
from cbir.training.losses.cross_entropy import CrossEntropyLoss
from cbir.training.losses.multi_similarity import MultiSimilarityLoss
from cbir.training.losses.proxy_anchor import ProxyAnchorLoss
from cbir.training.losses.rank_n_contrast import RankNContrastLoss
from cbir.training.losses.sup_con import SupConLoss
from cbir.training.losses.triplet import TripletLoss

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cbir.training.recipe import Term

FACTORIES: Mapping[str, Callable[[int, int, Term], nn.Module]] = {
    "cross_entropy": lambda _n, _dim, term: CrossEntropyLoss(**term.numbers),
    "triplet": lambda _n, _dim, term: TripletLoss(
        term.numbers["margin"], str(term.settings["positives"]), str(term.settings["negatives"])
    ),
    "centre": lambda n, dim, _term: CentreLoss(n, dim),
    "multi_similarity": lambda _n, _dim, term: MultiSimilarityLoss(**term.numbers),
    "sup_con": lambda _n, _dim, term: SupConLoss(**term.numbers),
    "proxy_anchor": lambda n, dim, term: ProxyAnchorLoss(n, dim, **term.numbers),
    "rank_n_contrast": lambda _n, _dim, term: RankNContrastLoss(**term.numbers),
}
"""(number of classes, dim of the embeddings, term) to each loss of ``LOSSES``."""


class WeightedLosses(nn.Module):
    """The terms of a recipe, each by its name.

    Losses of embeddings see them at unit length, as a search does.

    Args:
        terms: of the recipe.
        n_classes: of the labels.
        dim: of the embeddings.
    """

    def __init__(self, terms: Sequence[Term], n_classes: int, dim: int) -> None:
        super().__init__()
        self.terms = tuple(terms)
        self.losses = nn.ModuleDict({term.name: FACTORIES[term.name](n_classes, dim, term) for term in terms})

    def forward(self, embeddings: Tensor, logits: Tensor | None, labels: Tensor) -> dict[str, Tensor]:
        """Measure every term, not weighted.

        Args:
            embeddings: (B, dim).
            logits: (B, n_classes); None where no term reads them.
            labels: (B,), codes.
        """
        units = normalize(embeddings, dim=1)
        return {
            term.name: self.losses[term.name](logits if term.name in OF_LOGITS else units, labels)
            for term in self.terms
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Of the terms."""
        return tuple(term.name for term in self.terms)

    def total(self, measured: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum."""
        return sum((term.weight * measured[term.name] for term in self.terms), start=0.0)  # type: ignore[return-value]
