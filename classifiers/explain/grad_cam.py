"""Where in an image a classifier sees a class: Grad-CAM on the last feature map of its first backbone.

Source: Selvaraju et al., ICCV 2017, as captum computes it. Of a transformer the map is its patch tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from captum.attr import LayerGradCam
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from classifiers.networks.network import ClassifierNetwork

    See = Callable[..., tuple[Tensor, Sequence[Tensor]]]

_TOKENS_NDIM = 3


class GradCam:
    """Asks a network where it sees a class.

    Args:
        network: in eval mode, on the CPU; its weights stay as they are.
    """

    def __init__(self, network: ClassifierNetwork) -> None:
        self._network = _Tapped(network).eval()
        self._cam = LayerGradCam(self._network, self._network.tap)

    def __call__(
        self, pixels: NDArray[np.float32], described: NDArray[np.float32] | None, target: int
    ) -> NDArray[np.float64]:
        """Weigh the map's channels by the mean gradient of a logit; what speaks against the class is 0.

        Args:
            pixels: (1, 3, H, W), prepared.
            described: (1, n_described); None where the classifier has no descriptors.
            target: number of the class.

        Returns:
            (H', W'), >= 0, in units of the logit times H'·W'. All 0 where no position speaks for the class,
            or the network does not read them, as when it takes a class token alone.
        """
        asked = torch.from_numpy(np.ascontiguousarray(pixels)).requires_grad_()
        beside = None if described is None else torch.from_numpy(np.ascontiguousarray(described))
        found = self._cam.attribute(
            asked, target=target, additional_forward_args=(beside,), relu_attributions=True
        )
        return cast("NDArray[np.float64]", cast("Tensor", found)[0, 0].detach().double().numpy())


class _Tapped(nn.Module):
    """A network whose first backbone's last map goes through a module of its own, which captum can name."""

    def __init__(self, network: ClassifierNetwork) -> None:
        super().__init__()
        self.network = network
        self.tap = nn.Identity()

    def forward(self, pixels: Tensor, described: Tensor | None) -> Tensor:
        model = self.network.backbones[0].get_submodule("model")
        with _seen_through(model, self.tap):
            logits: Tensor = self.network(pixels, described)[0]
        return logits


@contextmanager
def _seen_through(model: nn.Module, tap: nn.Module) -> Iterator[None]:
    """Send what a timm model sees last through a module, while this lasts."""
    original = cast("See", model.forward_intermediates)

    def forward_intermediates(*args: object, **settings: object) -> tuple[Tensor, list[Tensor]]:
        final, maps = original(*args, **settings)
        if final.ndim != _TOKENS_NDIM:
            return tap(final), list(maps)
        grid: Tensor = tap(maps[-1])
        patches = grid.flatten(2).transpose(1, 2)
        before = final[:, : final.shape[1] - patches.shape[1]]
        return torch.cat([before, patches], dim=1), [*maps[:-1], grid]

    model.forward_intermediates = forward_intermediates  # type: ignore[assignment]  # on this instance
    try:
        yield
    finally:
        del model.forward_intermediates
