"""Images in memory, as the loop takes them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cbir.types import Item


@dataclass
class MemoryFeed:
    """A feed of ready tensors; batches are shuffled by the epoch, or deal every class equally often.

    Args:
        pixels: (n, 3, H, W).
        codes: (n,).
        groups: (n,).
        train: indices.
        validation: indices.
        size: of a batch.
        on_images: called before images are given.
    """

    pixels: Tensor
    codes: NDArray[np.int64]
    groups: Sequence[str]
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    size: int
    on_images: Callable[[int], None] = field(default=lambda _epoch: None)

    @property
    def items(self) -> list[Item]:
        return [
            Item(f"{place:04}", f"{place}.png", label=f"label {code}", group=group)
            for place, (code, group) in enumerate(zip(self.codes, self.groups, strict=True))
        ]

    @property
    def n_classes(self) -> int:
        return int(self.codes.max()) + 1

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.codes.tobytes() + self.pixels.numpy().tobytes()).hexdigest()

    def batches(self, epoch: int) -> list[NDArray[np.int64]]:
        order = np.random.default_rng([7, epoch]).permutation(self.train)
        return [order[first : first + self.size] for first in range(0, len(order), self.size)]

    def images(self, indices: NDArray[np.int64], epoch: int) -> Tensor:
        self.on_images(epoch)
        brightness = [np.random.default_rng([7, epoch, index]).normal(0, 0.05) for index in indices]
        return self.pixels[indices] + torch.tensor(brightness, dtype=torch.float32)[:, None, None, None]

    def validation_images(self, indices: NDArray[np.int64]) -> Tensor:
        return self.pixels[indices]


def drawn_feed(n_train: int = 24, n_validation: int = 12, *, size: int = 8, side: int = 32) -> MemoryFeed:
    """Three classes told apart by their colour, under noise."""
    n = n_train + n_validation
    codes = np.arange(n, dtype=np.int64) % 3
    noise = 0.5 * torch.randn(n, 3, side, side, generator=torch.Generator().manual_seed(0))
    colours = 0.5 * torch.eye(3)[torch.from_numpy(codes)][:, :, None, None]
    groups = [f"group {place // 3}" for place in range(n)]
    return MemoryFeed(noise + colours, codes, groups, np.arange(n_train), np.arange(n_train, n), size)
