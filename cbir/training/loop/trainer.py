"""The steps of an epoch, and the embeddings of a network in training; on one device or several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from cbir.ahead import ahead
from cbir.errors import SpecError, TrainingError
from cbir.training.loop.history import StepDone
from cbir.training.loop.optimise import Optimisers
from cbir.training.loop.ranks import Ranks
from cbir.training.loop.troubles import check_finite
from cbir.training.losses.create import WeightedLosses
from cbir.training.seeds import drawn_from

if TYPE_CHECKING:
    from accelerate import Accelerator
    from numpy.typing import NDArray

    from cbir.training.feeding.feed import Feed
    from cbir.training.loop.checkpoint import Checkpoint
    from cbir.training.loop.network import TrainedNetwork
    from cbir.training.recipe import NetworkRecipe

_LEAST_SHARE = 2
"""Of a batch: batch norm takes no variance of one image."""
_N_AHEAD = 3
"""Batches that are got ready while one is learnt from."""
_N_EMBEDDED = 2
"""Batches that fit in memory where no gradients are kept."""


@dataclass(frozen=True, slots=True)
class EpochSteps:
    """Means over the steps of an epoch, its last rates, and how much there was to do."""

    loss: float
    terms: dict[str, float]
    rates: tuple[float, ...]
    n_steps: int
    n_images: int


class Trainer:
    """A network with its losses and optimisers, where they are run.

    Args:
        recipe: what to do.
        feed: labelled images.
        network: goes to the device.
        accelerator: which device, how many, in what precision.
        compiles: whether torch compiles the network first.

    Raises:
        SpecError: fewer than two images of a batch for each process.
    """

    def __init__(
        self,
        recipe: NetworkRecipe,
        feed: Feed,
        network: TrainedNetwork,
        accelerator: Accelerator,
        *,
        compiles: bool = False,
    ) -> None:
        self.ranks = Ranks(accelerator.process_index, accelerator.num_processes)
        least = _LEAST_SHARE * self.ranks.n
        if recipe.batches.size < least:
            raise SpecError(
                f"batches.size is {recipe.batches.size} for {self.ranks.n} processes; it must be at least "
                f"{least}."
            )
        self.recipe, self.feed, self.network = recipe, feed, network
        self.device: torch.device = accelerator.device
        self._accelerator = accelerator
        self._layout = torch.channels_last if self.device.type == "cuda" else torch.contiguous_format
        with drawn_from(recipe.seed):
            self._losses = WeightedLosses(recipe.losses, feed.n_classes, network.dim).to(self.device)
        network.to(self.device).to(memory_format=self._layout)
        if self.ranks.n > 1 and self.device.type == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        self._optimisers = Optimisers(recipe, network, self._losses)
        runner = cast("nn.Module", torch.compile(network)) if compiles else network
        self._runner: nn.Module = accelerator.prepare_model(runner)

    def run_epoch(self, epoch: int, on_step: Callable[[StepDone], None] | None = None) -> EpochSteps:
        """Step through an epoch.

        Args:
            epoch: from 0.
            on_step: told of every step that was finite, one step late: by then its loss is there.

        Raises:
            TrainingError: no batch is large enough, or a loss is no number.
        """
        least = _LEAST_SHARE * self.ranks.n
        batches = [batch for batch in self.feed.batches(epoch) if len(batch) >= least]
        if not batches:
            raise TrainingError(f"Epoch {epoch + 1} has no batch of {least} images. Label more images.")
        sums, pending = np.zeros(1 + len(self.recipe.losses)), None
        read = partial(self._read, epoch, len(batches), on_step)
        self._runner.train()
        shares = map(self.ranks.share, batches)
        images = self._ahead(lambda share: self.feed.images(share, epoch), shares)
        with drawn_from(self.recipe.seed, epoch, self.ranks.rank, device=self.device):
            for number, (batch, pixels) in enumerate(zip(batches, images, strict=True)):
                rates = self._optimisers.set_rates((epoch + number / len(batches)) / self.recipe.epochs)
                measured = self._step(batch, pixels)
                if pending is not None:
                    sums += read(number, pending)
                pending = measured
            sums += read(len(batches), cast("Tensor", pending))
        self.ranks.agree(self.network)
        loss, *terms = (sums / len(batches)).tolist()
        named = dict(zip((term.name for term in self.recipe.losses), terms, strict=True))
        return EpochSteps(loss, named, rates, len(batches), sum(map(len, batches)))

    @torch.no_grad()
    def embed(self, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Embed images as a search will: (n, dim), unit rows."""
        self.network.eval()
        n_at_once = self.recipe.batches.size * _N_EMBEDDED
        chunks = [indices[first : first + n_at_once] for first in range(0, len(indices), n_at_once)]
        shares = [self.ranks.share(chunk) if len(chunk) >= self.ranks.n else chunk[:1] for chunk in chunks]
        images = self._ahead(self.feed.validation_images, shares)
        rows = [
            self.ranks.gather(normalize(self.network(self._sent(pixels))[0].float(), dim=1), len(chunk))
            for chunk, pixels in zip(chunks, images, strict=True)
        ]
        return torch.cat(rows).cpu().numpy()

    def tensors(self) -> dict[str, Tensor]:
        """All that a training must remember, by names that say whose it is."""
        owners = {
            "network": self.network.state_dict(),
            "losses": self._losses.state_dict(),
            "optimiser": self._optimisers.tensors(),
        }
        return {f"{owner}.{name}": each for owner, named in owners.items() for name, each in named.items()}

    def restore(self, checkpoint: Checkpoint) -> None:
        """Take back what ``tensors`` gave."""
        self.network.load_state_dict(checkpoint.part("network"))
        self._losses.load_state_dict(checkpoint.part("losses"))
        self._optimisers.restore(checkpoint.part("optimiser"))

    def wait(self) -> None:
        """Until all processes are here."""
        self._accelerator.wait_for_everyone()

    def finish(self) -> None:
        """Leave the network as a plain one, in eval mode."""
        self._accelerator.unwrap_model(self._runner, keep_fp32_wrapper=False)
        self._accelerator.free_memory()
        self.network.eval()

    def _step(self, batch: NDArray[np.int64], pixels: Tensor) -> Tensor:
        """(1 + n_terms,): the loss and its terms, not waited for."""
        embeddings, logits = self._runner(self._sent(pixels))
        labels = torch.from_numpy(self.feed.codes[batch]).to(self.device, non_blocking=True)
        terms = self._losses(
            self.ranks.gather(embeddings, len(batch)),
            None if logits is None else self.ranks.gather(logits, len(batch)),
            labels,
        )
        total = self._losses.total(terms)
        self._accelerator.backward(total)
        self._optimisers.step()
        return torch.stack([total.detach(), *(term.detach() for term in terms.values())])

    def _read(
        self,
        epoch: int,
        n_steps: int,
        on_step: Callable[[StepDone], None] | None,
        step: int,
        measured: Tensor,
    ) -> NDArray[np.float64]:
        values = measured.double().cpu().numpy()
        names = [term.name for term in self.recipe.losses]
        check_finite(self.recipe, epoch + 1, step, values[0], dict(zip(names, values[1:], strict=True)))
        if on_step:
            on_step(StepDone(epoch + 1, step, n_steps, float(values[0])))
        return values

    def _ahead(
        self, images: Callable[[NDArray[np.int64]], Tensor], shares: Iterable[NDArray[np.int64]]
    ) -> Iterator[Tensor]:
        """Get images in a thread while those before them are learnt from; where the GPU can fetch them."""

        def ready(share: NDArray[np.int64]) -> Tensor:
            return images(share).pin_memory() if self.device.type == "cuda" else images(share)

        thread = ThreadPoolExecutor(1, thread_name_prefix="cbir-images")
        try:
            yield from ahead(thread, ready, shares, _N_AHEAD, lambda _share: 0)
        finally:
            thread.shutdown(cancel_futures=True)

    def _sent(self, pixels: Tensor) -> Tensor:
        return pixels.to(self.device, non_blocking=True).contiguous(memory_format=self._layout)
