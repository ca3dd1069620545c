"""Networks in PyTorch: the reference, and the way to a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn


class TorchNetwork:
    """A module on a device; in bf16 with the channels last where that is a CUDA one, in float32 elsewhere.

    Args:
        module: (B, 3, H, W) to (B, dim); moved to the device, and set to eval mode.
        dim: of its vectors.
        device: as torch names it: ``cpu``, ``cuda``, ``cuda:1``.
        batch_size: so many images at once; a larger batch is cut.
    """

    def __init__(self, module: nn.Module, dim: int, *, device: str = "cpu", batch_size: int = 128) -> None:
        self._device = torch.device(device)
        self._bf16 = self._device.type == "cuda"
        self._dim = dim
        self._batch_size = batch_size
        self._layout = torch.channels_last if self._bf16 else torch.contiguous_format
        self.module = module.eval().to(self._device).to(memory_format=self._layout)

    @property
    def dim(self) -> int:
        """Of the vectors."""
        return self._dim

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network; see :class:`cbir.runtime.network.Network`."""
        pixels = torch.from_numpy(np.ascontiguousarray(batch))
        with torch.inference_mode(), torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16):
            parts = [
                self.module(part.to(self._device, memory_format=self._layout)).float()
                for part in torch.split(pixels, self._batch_size)
            ]
            return cast("NDArray[np.float32]", torch.cat(parts).cpu().numpy())
