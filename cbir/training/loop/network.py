"""The network in training: a backbone, perhaps a head, and a classifier that falls away when it is done."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor, nn

from cbir.errors import SpecError
from cbir.extractors.backbone import PooledBackbone, build_backbone
from cbir.extractors.backbone_name import BackboneName
from cbir.extractors.heads import HeadedBackbone, create_head
from cbir.training.losses import OF_LOGITS
from cbir.training.seeds import drawn_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cbir.extractors.spec import BranchSpec
    from cbir.training.recipe import NetworkRecipe


class TrainedNetwork(nn.Module):
    """Pixels to embeddings and a classifier's answers.

    Args:
        embedder: (B, 3, H, W) to (B, dim).
        dim: of the embeddings.
        fresh: the part of it that comes without weights; None where it all has some.
        classifier: on the embeddings; None where no loss asks it.
        is_frozen: what comes with weights stays as it is, batch norm in eval mode included.
    """

    def __init__(
        self,
        embedder: nn.Module,
        dim: int,
        *,
        fresh: nn.Module | None,
        classifier: nn.Module | None,
        is_frozen: bool,
    ) -> None:
        super().__init__()
        self.embedder = embedder
        self.dim = dim
        self.classifier = classifier
        self.is_frozen = is_frozen
        self._new = [part for part in (fresh, classifier) if part is not None]
        for parameter in self.old():
            parameter.requires_grad_(not is_frozen)
        for parameter in self.new():
            parameter.requires_grad_(True)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor | None]:
        """Give (B, dim), and (B, n_classes) or None."""
        embeddings: Tensor = self.embedder(pixels)
        return embeddings, None if self.classifier is None else self.classifier(embeddings)

    def train(self, mode: bool = True) -> Self:  # noqa: FBT001, FBT002 - torch's own signature
        """As torch's, but what is frozen stays in eval mode."""
        super().train(mode)
        if self.is_frozen and mode:
            self.eval()
            for part in self._new:
                part.train()
        return self

    def new(self) -> Iterator[nn.Parameter]:
        """Parameters that began at random."""
        for part in self._new:
            yield from part.parameters()

    def old(self) -> Iterator[nn.Parameter]:
        """Parameters that began with weights."""
        new = {id(parameter) for parameter in self.new()}
        return (parameter for parameter in self.parameters() if id(parameter) not in new)


def start_network(
    recipe: NetworkRecipe, branch: BranchSpec, tensors: Mapping[str, Tensor], n_classes: int, *, source: str
) -> TrainedNetwork:
    """Build the network that a recipe trains, what is new in it drawn by the recipe's seed.

    A start that has the recipe's head already goes on with it.

    Args:
        recipe: head, losses and rates.
        branch: of the start.
        tensors: its weights, float32.
        n_classes: of the labels.
        source: names the weights in errors.

    Raises:
        SpecError: no such network or head, or the start has another head.
        WeightsError: the weights do not fit.
    """
    name = BackboneName.parse(branch.backbone)
    if name.head and recipe.head not in ("", name.head):
        raise SpecError(
            f"Recipe {recipe.name!r} puts the head {recipe.head!r} on a network that has {name.head!r} "
            "already; start from one without."
        )
    fresh, dim = None, branch.dim
    with drawn_from(recipe.seed):
        embedder = build_backbone(branch, tensors, source=source)
        if recipe.head and not name.head:
            fresh = create_head(recipe.head, dim)
            embedder, dim = HeadedBackbone(embedder, fresh), _dim(fresh, dim)
        asks_classifier = any(term.name in OF_LOGITS for term in recipe.losses)
        classifier = nn.Linear(dim, n_classes) if asks_classifier else None
    is_frozen = recipe.optimiser.old_rate == 0
    return TrainedNetwork(embedder, dim, fresh=fresh, classifier=classifier, is_frozen=is_frozen)


def trained_branch(recipe: NetworkRecipe, branch: BranchSpec) -> BranchSpec:
    """What the start's branch becomes: its weights are to be named by whoever writes them."""
    name = BackboneName.parse(branch.backbone)
    if not recipe.head or name.head:
        return replace(branch, backbone=str(replace(name, weights_prefix="")))
    headed = replace(name, weights_prefix="", head=recipe.head)
    return replace(branch, backbone=str(headed), dim=_dim(create_head(recipe.head, branch.dim), branch.dim))


def embedding_weights(network: TrainedNetwork) -> dict[str, Tensor]:
    """The tensors of a weights file that ``build_backbone`` reads for ``trained_branch``; no classifier."""
    embedder = network.embedder
    if not isinstance(embedder, HeadedBackbone):
        return _plain(embedder)
    parts = {"backbone": _plain(embedder.backbone), "head": embedder.head.state_dict()}
    return {f"{part}.{name}": tensor for part, each in parts.items() for name, tensor in each.items()}


def _plain(network: nn.Module) -> dict[str, Tensor]:
    """By timm's names."""
    return (network.backbone if isinstance(network, PooledBackbone) else network).state_dict()


def _dim(head: nn.Module, dim: int) -> int:
    with torch.inference_mode():
        return int(head.eval()(torch.zeros(1, dim)).shape[1])
