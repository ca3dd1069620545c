"""The processes of one training: what is there once is done by the first, and the others wait for it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar, cast

from cbir.errors import OtherProcessError, TrainingError

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

T = TypeVar("T")

_PATIENCE = timedelta(days=7)
"""Decoding may take a night. A process that ends is noticed at once, and not by this."""
_LOST = ("Connection closed by peer", "Connection reset by peer")
"""What torch says of a process that is gone; as a plain RuntimeError."""


@dataclass(frozen=True, slots=True)
class _Done:
    value: object


@dataclass(frozen=True, slots=True)
class _Failed:
    kind: type[BaseException]


@dataclass(frozen=True, slots=True, eq=False)
class Processes:
    """Those that were started for one training, as this one sees them.

    Args:
        rank: of this one, from 0.
        n: how many there are.
        group: over which they tell each other; None for one alone.
    """

    rank: int = 0
    n: int = 1
    group: ProcessGroup | None = None

    @property
    def is_first(self) -> bool:
        """Whether this is the one that reads, writes and measures."""
        return self.rank == 0

    def once(self, work: Callable[[], T]) -> T:
        """Do it in the first process; the others wait, however long it takes, and get what came of it.

        Every process must come here with the same work.

        Args:
            work: its result must be one that can be pickled.

        Raises:
            OtherProcessError: in the others, whatever it raised in the first.
        """
        if self.n == 1:
            return work()
        if not self.is_first:
            return cast("T", self._received())
        try:
            value = work()
        except BaseException as error:
            with contextlib.suppress(RuntimeError):  # they are gone already
                self._send(_Failed(type(error)))
            raise
        self._send(_Done(value))
        return value

    def _send(self, outcome: _Done | _Failed) -> None:
        from torch import distributed

        distributed.broadcast_object_list([outcome], src=0, group=self.group)

    def _received(self) -> object:
        from torch import distributed

        found: list[object] = [None]
        distributed.broadcast_object_list(found, src=0, group=self.group)
        outcome = cast("_Done | _Failed", found[0])
        if isinstance(outcome, _Failed):
            raise OtherProcessError(outcome.kind)
        return outcome.value


ALONE = Processes()


@contextmanager
def joined_processes(*, cpu: bool) -> Iterator[Processes]:
    """Join the processes that torchrun started; this one alone where it started none.

    Args:
        cpu: they train there, and not each on a GPU of its own.

    Raises:
        TrainingError: another one ended while this one needed it.
    """
    from accelerate import PartialState
    from torch import distributed

    state = PartialState(cpu=cpu)
    if state.num_processes == 1:
        yield ALONE
        return
    # GPUs talk by a way of their own, where waiting is an error after some minutes.
    group = cast("ProcessGroup", distributed.new_group(backend="gloo", timeout=_PATIENCE))
    try:
        yield Processes(state.process_index, state.num_processes, group)
    except BaseException as error:
        # What GPUs have begun together may wait here for those that are gone: the end of the process ends it.
        distributed.destroy_process_group(None if cpu else group)
        if isinstance(error, RuntimeError) and any(words in str(error) for words in _LOST):
            raise TrainingError(
                f"Process {state.process_index} of {state.num_processes} stops, because another one ended. "
                "Go on with --resume."
            ) from error
        raise
    distributed.destroy_process_group()
