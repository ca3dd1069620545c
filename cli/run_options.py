"""How a training is run, as the settings say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.extractors.weights import WeightsStore
from cbir.images.decoding import Decoding
from cbir.images.settings import ReadPolicy
from cbir.training.run.options import RunOptions
from cli.folders import cache_folder, weights_folder

if TYPE_CHECKING:
    from pathlib import Path

    from cli.settings import Settings


def run_options(settings: Settings, weights: Path | None) -> RunOptions:
    """What decides nothing of what is learned.

    Args:
        settings: of the command.
        weights: a file in place of the start's; None for those.
    """
    return RunOptions(
        cache=cache_folder() / "decoded",
        device=settings.device,
        decoding=Decoding(settings.limits, ReadPolicy(**settings.policy), settings.workers),  # type: ignore[arg-type]  # it checks
        weights=weights,
        allow_pickle=settings.allow_pickle,
        offline=settings.offline,
        store=WeightsStore(weights_folder()),
    )
