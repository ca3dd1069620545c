"""Where a training stands, in one file: safetensors, and what it belongs to as JSON in its header."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from cbir.errors import TrainingError
from cbir.training.loop.parts import EpochTold, LoopRecipe

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor


LAST, BEST = "last.safetensors", "best.safetensors"
"""Their names in a training's folder: after the last epoch, and after the best."""

Epoch = TypeVar("Epoch", bound=EpochTold)

_FORMAT = "1"
_N_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Checkpoint(Generic[Epoch]):
    """A training after an epoch.

    Args:
        recipe: what it follows.
        feed_sha256: what it was fed with.
        history: of all epochs so far.
        tensors: by names that say whose they are.
    """

    recipe: LoopRecipe
    feed_sha256: str
    history: tuple[Epoch, ...]
    tensors: Mapping[str, Tensor]

    def part(self, name: str) -> dict[str, Tensor]:
        """The tensors whose names begin with ``name`` and a dot, without that."""
        prefix = f"{name}."
        return {
            key.removeprefix(prefix): tensor for key, tensor in self.tensors.items() if key.startswith(prefix)
        }


def write_checkpoint(path: Path, checkpoint: Checkpoint[Epoch]) -> None:
    """Write it whole, or leave the one that is there.

    Raises:
        TrainingError: the disk refused.
    """
    about = {
        "format": _FORMAT,
        "recipe": json.dumps(checkpoint.recipe.to_dict(), allow_nan=False),
        "feed": checkpoint.feed_sha256,
        "history": json.dumps([line.to_dict() for line in checkpoint.history], allow_nan=False),
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()}
    fresh = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        with fresh.open("wb") as file:
            file.write(save(tensors, about))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        there = "the one before it is whole" if path.exists() else "there is none before it"
        raise TrainingError(
            f"Checkpoint {path} of epoch {len(checkpoint.history)} can't be written: {error.strerror}; "
            f"{there}. Make room, then go on with --resume."
        ) from error
    finally:
        fresh.unlink(missing_ok=True)


def read_checkpoint(
    path: Path, recipe: LoopRecipe, feed_sha256: str, epoch_of: Callable[[Mapping[str, object]], Epoch]
) -> Checkpoint[Epoch]:
    """Read what ``write_checkpoint`` wrote for the same training.

    Args:
        path: of the file.
        recipe: that is followed now.
        feed_sha256: of what it is fed with now.
        epoch_of: rebuilds an epoch from its ``to_dict``.

    Raises:
        TrainingError: it can't be read, or belongs to another recipe or other images; says which.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about: Mapping[str, str] = file.metadata() or {}
            if about.get("format") != _FORMAT:
                raise TrainingError(
                    f"Checkpoint {path} has format {about.get('format')!r}, this cbir reads {_FORMAT!r}; "
                    "train anew in another folder."
                )
            _check(path, about, recipe, feed_sha256)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        history = [epoch_of(line) for line in json.loads(about["history"])]
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise TrainingError(f"Checkpoint {path} can't be read: {reason}; train anew.") from error
    return Checkpoint(recipe, feed_sha256, tuple(history), tensors)


def _check(path: Path, about: Mapping[str, str], recipe: LoopRecipe, feed_sha256: str) -> None:
    theirs = cast("Mapping[str, object]", json.loads(about["recipe"]))
    ours = cast("Mapping[str, object]", json.loads(json.dumps(recipe.to_dict())))
    if theirs != ours:
        key = next(key for key in (*theirs, *ours) if theirs.get(key) != ours.get(key))
        raise TrainingError(
            f"Checkpoint {path} is of another recipe: its {key} is {theirs.get(key)}, this one's "
            f"{ours.get(key)}. Resume with the same settings, or train in another folder."
        )
    if about["feed"] != feed_sha256:
        raise TrainingError(
            f"Checkpoint {path} is of other images, labels or parts ({about['feed'][:_N_SHOWN]}…, these are "
            f"{feed_sha256[:_N_SHOWN]}…). Resume with the same, or train in another folder."
        )
