"""The steps of an epoch, and the answers of a network in training; on one device or several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn

from cbir.ahead import ahead
from cbir.errors import SpecError, TrainingError
from cbir.training.loop.history import StepDone
from cbir.training.loop.memory import keep_freed_memory
from cbir.training.loop.ranks import Ranks
from cbir.training.loop.troubles import check_finite
from cbir.training.seeds import drawn_from

if TYPE_CHECKING:
    from accelerate import Accelerator
    from numpy.typing import NDArray

    from cbir.training.feeding.feed import Feed, Inputs
    from cbir.training.loop.checkpoint import Checkpoint, Epoch
    from cbir.training.loop.parts import LoopRecipe, Losses, Optimising

_IMAGES_NDIM = 4
_LEAST_SHARE = 2
"""Of a batch: batch norm takes no variance of one image."""
_N_AHEAD = 3
"""Batches that are got ready while one is learnt from."""
_N_ANSWERED = 2
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
        network: gives answers to a feed's images: tensors of (B, n), or None; goes to the device.
        losses: of these answers; likewise.
        optimisers: of the network's parameters, and perhaps of the losses'.
        accelerator: which device, how many, in what precision.
        compiles: whether torch compiles the network first.

    Raises:
        SpecError: fewer than two images of a batch for each process.
    """

    def __init__(
        self,
        recipe: LoopRecipe,
        feed: Feed,
        network: nn.Module,
        losses: Losses,
        optimisers: Optimising,
        *,
        accelerator: Accelerator,
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
        self._losses, self._optimisers = losses, optimisers
        self.device: torch.device = accelerator.device
        self._accelerator = accelerator
        self._layout = torch.channels_last if self.device.type == "cuda" else torch.contiguous_format
        if self.device.type == "cpu":
            keep_freed_memory()
        losses.to(self.device)
        network.to(self.device).to(memory_format=self._layout)
        if self.ranks.n > 1 and self.device.type == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
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
        sums, pending = np.zeros(1 + len(self._losses.names)), None
        read = partial(self._read, epoch, len(batches), on_step)
        self._runner.train()
        shares = map(self.ranks.share, batches)
        images = self._ahead(lambda share: self.feed.images(share, epoch), shares)
        with drawn_from(self.recipe.seed, epoch, self.ranks.rank, device=self.device):
            for number, (batch, inputs) in enumerate(zip(batches, images, strict=True)):
                rates = self._optimisers.set_rates(epoch + number / len(batches))
                measured = self._step(batch, inputs)
                if pending is not None:
                    sums += read(number, pending)
                pending = measured
            sums += read(len(batches), cast("Tensor", pending))
        self.ranks.agree(self.network)
        loss, *terms = (sums / len(batches)).tolist()
        named = dict(zip(self._losses.names, terms, strict=True))
        return EpochSteps(loss, named, rates, len(batches), sum(map(len, batches)))

    @torch.no_grad()
    def answer(self, indices: NDArray[np.int64]) -> Tensor:
        """Give the first of the network's answers to images that are not augmented: (n, dim), on the CPU."""
        self.network.eval()
        n_at_once = self.recipe.batches.size * _N_ANSWERED
        chunks = [indices[first : first + n_at_once] for first in range(0, len(indices), n_at_once)]
        shares = [self.ranks.share(chunk) if len(chunk) >= self.ranks.n else chunk[:1] for chunk in chunks]
        images = self._ahead(self.feed.validation_images, shares)
        rows = [
            self.ranks.gather(self.network(*self._sent(inputs))[0].float(), len(chunk))
            for chunk, inputs in zip(chunks, images, strict=True)
        ]
        return torch.cat(rows).cpu()

    def tensors(self) -> dict[str, Tensor]:
        """All that a training must remember, by names that say whose it is."""
        owners = {
            "network": self.network.state_dict(),
            "losses": self._losses.state_dict(),
            "optimiser": self._optimisers.tensors(),
        }
        return {f"{owner}.{name}": each for owner, named in owners.items() for name, each in named.items()}

    def restore(self, checkpoint: Checkpoint[Epoch]) -> None:
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

    def _step(self, batch: NDArray[np.int64], inputs: tuple[Tensor, ...]) -> Tensor:
        """(1 + n_terms,): the loss and its terms, not waited for."""
        answers = self._runner(*self._sent(inputs))
        codes = self.feed.codes[batch % len(self.feed.codes)]
        labels = torch.from_numpy(codes).to(self.device, non_blocking=True)
        gathered = [None if each is None else self.ranks.gather(each, len(batch)) for each in answers]
        terms = self._losses(*gathered, labels)
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
        terms = dict(zip(self._losses.names, values[1:], strict=True))
        check_finite(self.recipe, epoch + 1, step, values[0], terms)
        if on_step:
            on_step(StepDone(epoch + 1, step, n_steps, float(values[0])))
        return values

    def _ahead(
        self, images: Callable[[NDArray[np.int64]], Inputs], shares: Iterable[NDArray[np.int64]]
    ) -> Iterator[tuple[Tensor, ...]]:
        """Get images in a thread while those before them are learnt from; where the GPU can fetch them."""

        def ready(share: NDArray[np.int64]) -> tuple[Tensor, ...]:
            found = images(share)
            inputs = found if isinstance(found, tuple) else (found,)
            return tuple(each.pin_memory() for each in inputs) if self.device.type == "cuda" else inputs

        thread = _images_thread(self.device)
        try:
            yield from ahead(thread, ready, shares, _N_AHEAD, lambda _share: 0)
        finally:
            thread.shutdown(cancel_futures=True)

    def _sent(self, inputs: tuple[Tensor, ...]) -> list[Tensor]:
        sent = [each.to(self.device, non_blocking=True) for each in inputs]
        return [
            each.contiguous(memory_format=self._layout) if each.ndim == _IMAGES_NDIM else each
            for each in sent
        ]


def _images_thread(device: torch.device) -> ThreadPoolExecutor:
    """The thread that gets images; beside steps on the CPU it works alone.

    Else torch gives it as many helpers as the steps have, and the two teams wait for each other, spinning.
    """
    thread = ThreadPoolExecutor(1, thread_name_prefix="cbir-images")
    if device.type == "cpu":
        n_threads = torch.get_num_threads()
        thread.submit(_work_alone).result()
        torch.set_num_threads(n_threads)  # each thread's own, but for those to come
    return thread


def _work_alone() -> None:
    torch.get_num_threads()  # a thread takes everybody's number when it first needs one: now, and not later
    torch.set_num_threads(1)
