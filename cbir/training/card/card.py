"""A run's card: what it is, what of, and what it is worth; for programs and for people."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from cbir import __version__
from cbir.evaluation.report.page.figures import span

if TYPE_CHECKING:
    from cbir.extractors.spec import ExtractorSpec
    from cbir.images.steps import JSON
    from cbir.training.material import Material
    from cbir.training.run.measuring import Measured

USE = "Research use only, not for diagnosis."

_LIBRARIES = ("torch", "timm", "accelerate", "pytorch-metric-learning", "numpy", "opencv-python-headless")
NOT_CLAIMED = (
    "Anything about patients, devices or sites that are not in the test part.",
    "That a hit has the same diagnosis, or that a label follows from hits.",
    "Anything where it says: no result.",
)


@dataclass(frozen=True, slots=True)
class Card:
    """What is told of a finished training.

    Args:
        recipe: its page.
        recipe_sha256: of that.
        spec: of the trained extractor, as it was published.
        start: what it started from.
        material: what it was trained, chosen and measured on.
        data_hash: of that, contents and all.
        unread: files that were left out, by reason.
        chosen: what the choice of the weights says of itself: the best epoch, or the head's setting.
        measured: on the test part; None without one.
        seed: of everything that was drawn.
        device: that it ran on.
        made: when it was finished, UTC.
        seconds: that it took; of a run that was gone on with, its last stretch.
    """

    recipe: Mapping[str, JSON]
    recipe_sha256: str
    spec: ExtractorSpec
    start: Sequence[ExtractorSpec]
    material: Material
    data_hash: str
    unread: Mapping[str, int]
    chosen: Mapping[str, JSON]
    measured: Measured | None
    seed: int
    device: str
    made: str
    seconds: float


def no_result(measured: Measured) -> list[str]:
    """Sentences for what does not beat chance, and for a gain over the start that is none."""
    return [*measured.summary.verdicts, *_no_gain(measured)]


def gain(measured: Measured) -> str:
    """The paired difference to the start, in a line."""
    paired, test = measured.paired, measured.paired.comparison
    return (
        f"macro P@{measured.study.k} {paired.value:.4f} against {paired.other:.4f} of what it started from: "
        f"{test.difference:+.4f} ({span(test.interval)}), p = {test.p_value:.4f}, {paired.n_queries} queries"
    )


def _no_gain(measured: Measured) -> list[str]:
    if measured.is_better:
        return []
    return ["no result: it is not better than what it started from, as far as these patients tell"]


def library_versions() -> Mapping[str, str]:
    """Of what decided the numbers, by name."""
    found = {"cbir": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # under another name, from another distributor
            continue
    return found
