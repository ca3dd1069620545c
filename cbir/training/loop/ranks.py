"""Several processes with a share of each batch, and the losses of the whole of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, distributed, nn
from torch.autograd.function import FunctionCtx

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Ranks:
    """The processes of a training.

    Args:
        rank: of this one, from 0.
        n: how many there are; with 1, nothing is sent.
    """

    rank: int = 0
    n: int = 1

    def share(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Every n-th, from the rank's."""
        return indices[self.rank :: self.n]

    def gather(self, shared: Tensor, n_rows: int) -> Tensor:
        """Join the rows of all shares in their order; the gradient finds its way back.

        Every process must go on to the same number, and the gradients of the network's parameters be averaged
        over the processes: then they are those of one process with the whole batch.

        Args:
            shared: (about n_rows / n, dim), of this process's share.
            n_rows: of all.

        Returns:
            (n_rows, dim).
        """
        if self.n == 1:
            return shared
        most = -(-n_rows // self.n)
        padded = nn.functional.pad(shared, (0, 0, 0, most - len(shared)))
        joined: Tensor = _Gather.apply(padded, self)
        return joined.transpose(0, 1).flatten(0, 1)[:n_rows]

    def agree(self, network: nn.Module) -> None:
        """Give all processes the first one's buffers: each has seen other images in its batch norm."""
        if self.n > 1:
            for buffer in network.buffers():
                distributed.broadcast(buffer, 0)


class _Gather(torch.autograd.Function):
    """(m, dim) of each process to (n, m, dim)."""

    @staticmethod
    def forward(ctx: FunctionCtx, shared: Tensor, ranks: Ranks) -> Tensor:
        ctx.ranks = ranks  # type: ignore[attr-defined]
        joined = [torch.empty_like(shared) for _ in range(ranks.n)]
        distributed.all_gather(joined, shared.contiguous())
        return torch.stack(joined)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, None]:
        """All have the same gradient of the whole; averaging divides by n what each sends of its share."""
        ranks: Ranks = ctx.ranks  # type: ignore[attr-defined]
        return gradient[ranks.rank] * ranks.n, None
