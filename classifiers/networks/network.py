"""A classifier in PyTorch: backbones, a head on what they see, and a last layer with a logit a class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Self, cast, get_args

from torch import Tensor, nn

from cbir.errors import SpecError
from classifiers.networks import Learns
from classifiers.networks.last_layers import last_parameters

if TYPE_CHECKING:
    from classifiers.networks.backbone import Backbone, Seen


class ClassifierNetwork(nn.Module):
    """Pixels to logits and the feature map that they come from.

    Args:
        backbones: all see the same pixels.
        head: what each backbone saw, and (B, n_described) numbers or None, to embeddings (B, dim).
        dim: of the embeddings.
        n_classes: of the labels.
        input_shape: (3, H, W) of the pixels.
        added: parts inside the backbones that come without weights.
    """

    def __init__(
        self,
        backbones: Sequence[Backbone],
        head: nn.Module,
        *,
        dim: int,
        n_classes: int,
        input_shape: tuple[int, int, int],
        added: Sequence[nn.Module] = (),
    ) -> None:
        super().__init__()
        self.backbones = nn.ModuleList(backbones)
        self.head = head
        self.classifier = nn.Linear(dim, n_classes)
        self.dim = dim
        self.input_shape = input_shape
        self._added = tuple(id(parameter) for part in added for parameter in part.parameters())

    def forward(self, pixels: Tensor, described: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Answer.

        Args:
            pixels: (B, 3, H, W), as the spec's ``preprocess`` leaves them.
            described: (B, n_described), as the spec's descriptors give them; None where it has none.

        Returns:
            Logits (B, n_classes), and the last feature map of the first backbone (B, D, H', W').
        """
        logits, features, _ = self.answer(pixels, described)
        return logits, features

    def answer(self, pixels: Tensor, described: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """As ``forward``, and the embeddings (B, dim) that the last layer reads, not normalised."""
        seen = [cast("Seen", backbone(pixels)) for backbone in self.backbones]
        embeddings: Tensor = self.head(seen, described)
        return self.classifier(embeddings), seen[0].maps[-1], embeddings

    def let_learn(self, learns: Learns) -> None:
        """Freeze all that does not learn in a stage; batch norm of frozen layers stays in eval mode.

        Raises:
            SpecError: no such stage.
        """
        if learns not in get_args(Learns):
            raise SpecError(f"A stage learns {learns!r}; say one of {', '.join(get_args(Learns))}.")
        self.requires_grad_(False)
        for parameter in self.stage_parameters(learns):
            parameter.requires_grad_(True)
        self.train(self.training)

    def stage_parameters(self, learns: Learns) -> list[nn.Parameter]:
        """What learns in a stage, in the order of ``parameters``."""
        if learns == "all":
            return list(self.parameters())
        learning = set(self._added)
        for part in (self.head, self.classifier):
            learning.update(id(parameter) for parameter in part.parameters())
        if learns == "last":
            learning.update(id(parameter) for parameter in self._last())
        return [parameter for parameter in self.parameters() if id(parameter) in learning]

    def train(self, mode: bool = True) -> Self:  # noqa: FBT001, FBT002 - torch's own signature
        """As torch's, but a module that is frozen as a whole stays in eval mode."""
        super().train(mode)
        if mode:
            for module in self.modules():
                parameters = list(module.parameters())
                if parameters and not any(each.requires_grad for each in parameters):
                    module.eval()
        return self

    def _last(self) -> Iterator[nn.Parameter]:
        for backbone in self.backbones:
            model = cast("Backbone", backbone).model
            names = last_parameters(model, self.input_shape)
            yield from (parameter for name, parameter in model.named_parameters() if name in names)
