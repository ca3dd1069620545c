"""Every light head by its name: its settings, and how it is fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from cbir.errors import SpecError
from cbir.nearest import nearest
from cbir.training.settings import Choice, Number, Setting, Value, read_settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cbir.extractors.projection import Projection
    from cbir.training.material import Material
    from cbir.training.recipe import Named


@dataclass(frozen=True, slots=True)
class HeadEpoch:
    """One time through the training vectors, or one candidate of a head that has no epochs.

    Args:
        number: from 1.
        loss: the mean over its steps; NaN where nothing is stepped.
        precision: macro P@10 of the validation part.
        is_best: the best so far, which is kept.
    """

    number: int
    loss: float
    precision: float
    is_best: bool


@dataclass(frozen=True, slots=True, eq=False)
class FittedHead:
    """What was learned.

    Args:
        projection: of the frozen extractors' vectors.
        precision: macro P@10 of the validation part, by which it was chosen.
        chosen: what the validation part chose, in words.
        epochs: all that was tried.
    """

    projection: Projection
    precision: float
    chosen: str
    epochs: tuple[HeadEpoch, ...]


Fit: TypeAlias = "Callable[[Material, NDArray[np.float32], Mapping[str, Value], int, Tell], FittedHead]"
Tell: TypeAlias = Callable[[HeadEpoch], None]


@dataclass(frozen=True, slots=True)
class HeadKind:
    """A kind of head.

    Args:
        settings: every one that a recipe may give.
        fit: to the training part of (n_images, dim) vectors; the seed is of all that is drawn.
    """

    settings: Mapping[str, Setting]
    fit: Fit


def head_of(named: Named) -> tuple[HeadKind, dict[str, Value]]:
    """The kind of a recipe's head, and all its settings.

    Raises:
        SpecError: no such head, or a setting that makes no sense.
    """
    if named.name not in HEADS:
        raise SpecError(f"head: unknown head {named.name!r}; {nearest(named.name, HEADS)}")
    kind = HEADS[named.name]
    return kind, read_settings("head", named.settings, kind.settings)


def _discriminant(
    material: Material, vectors: NDArray[np.float32], settings: Mapping[str, Value], _: int, tell: Tell
) -> FittedHead:
    from cbir.training.frozen.discriminant import fit_discriminant

    return fit_discriminant(material, vectors, by_validation=settings["shrinkage"] == "validation", tell=tell)


def _mlp(
    material: Material, vectors: NDArray[np.float32], settings: Mapping[str, Value], seed: int, tell: Tell
) -> FittedHead:
    from cbir.training.frozen.mlp import MlpSettings, fit_mlp

    return fit_mlp(material, vectors, MlpSettings.of(settings), seed=seed, tell=tell)


HEADS: Mapping[str, HeadKind] = {
    "discriminant": HeadKind({"shrinkage": Choice(("validation", "ledoit-wolf"))}, _discriminant),
    "mlp": HeadKind(
        {
            "hidden": Number(512, least=1, most=65536),
            "dim": Number(256, least=1, most=65536),
            "dropout": Number(0.3, most=0.9),
            "epochs": Number(60, least=1, most=10000),
            "batch": Number(64, least=2),
            "rate": Number(1e-3, least=1e-9, most=1.0),
            "weight_decay": Number(1e-4, most=1.0),
            "label_smoothing": Number(0.1, most=0.9),
        },
        _mlp,
    ),
}
