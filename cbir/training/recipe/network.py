"""A recipe that trains a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbir.errors import SpecError
from cbir.training.feeding.augment import augmentation_of
from cbir.training.losses import LOSSES, NEEDS_ORDER
from cbir.training.recipe.entry import Named, check_least, page_sha256

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbir.images.steps import JSON
    from cbir.training.settings import Value

_LEAST_BATCH, _LEAST_PER_CLASS = 2, 2


@dataclass(frozen=True, slots=True)
class Batches:
    """How many images a step sees, and which.

    Args:
        size: of a batch over all processes, >= 2.
        per_class: images of one class in a batch of ``size / per_class`` classes, all equally often;
            None shuffles the images as they are.

    Raises:
        SpecError: a batch that can't be made up so.
    """

    size: int
    per_class: int | None = None

    def __post_init__(self) -> None:
        if self.size < _LEAST_BATCH:
            raise SpecError(f"batches: size is {self.size}; batch norm takes at least {_LEAST_BATCH}.")
        if self.per_class is None:
            return
        if self.per_class < _LEAST_PER_CLASS:
            raise SpecError(
                f"batches: per_class is {self.per_class}; a pair takes at least {_LEAST_PER_CLASS}."
            )
        if self.size % self.per_class or self.size == self.per_class:
            raise SpecError(
                f"batches: size is {self.size} with {self.per_class} images a class; take a size of two or "
                f"more classes, as {2 * self.per_class}."
            )

    @property
    def n_classes(self) -> int | None:
        """How many classes a batch has; None where nobody says."""
        return None if self.per_class is None else self.size // self.per_class


@dataclass(frozen=True, slots=True)
class Optimiser:
    """AdamW, its rates on a cosine from these down to 0 over all epochs.

    Args:
        old_rate: of the layers that come with weights; 0 freezes them, batch norm included.
        new_rate: of the layers that are new: a head, the classifier.
        weight_decay: of both.
        clip: the greatest norm of the gradient.

    Raises:
        SpecError: a value out of its range.
    """

    old_rate: float
    new_rate: float
    weight_decay: float
    clip: float

    def __post_init__(self) -> None:
        for key, value in (("old_rate", self.old_rate), ("weight_decay", self.weight_decay)):
            if not 0 <= value < 1:
                raise SpecError(f"optimiser: {key} is {value:g}; it must be from 0 to below 1.")
        if not 0 < self.new_rate < 1:
            raise SpecError(f"optimiser: new_rate is {self.new_rate:g}; it must be between 0 and 1.")
        if not self.clip > 0:
            raise SpecError(f"optimiser: clip is {self.clip:g}; it must be positive.")


@dataclass(frozen=True, slots=True)
class Term:
    """One loss of the sum that is made small.

    Args:
        name: in ``LOSSES``.
        weight: > 0.
        settings: all that the loss has.

    Raises:
        SpecError: the weight is not positive.
    """

    name: str
    weight: float
    settings: Mapping[str, Value]

    def __post_init__(self) -> None:
        if not self.weight > 0:
            raise SpecError(
                f"losses: {self.name}.weight is {self.weight:g}; it must be positive; 0 is left out."
            )

    @property
    def numbers(self) -> dict[str, float]:
        """Those of the settings that are numbers."""
        return {key: value for key, value in self.settings.items() if not isinstance(value, str)}


@dataclass(frozen=True, slots=True)
class NetworkRecipe:
    """A training of a network, all of it or what stands on it.

    Args:
        name: for people.
        extractor: the start: a preset's name or a page of TOML, with one branch, a timm network.
        head: of ``HEADS``, put on the network; empty for none.
        losses: terms of the sum that is made small.
        batches: of a step.
        optimiser: and its rates.
        augment: of ``AUGMENTATIONS``, in their order.
        cache_px: the side to which an image is brought once, before the augmentation cuts its part out.
        side_px: of what the network gets; None as the start extractor has it.
        epochs: at most.
        patience: epochs without a better validation before the training ends.
        seed: of everything that is drawn.

    Raises:
        SpecError: a value out of its range.
    """

    name: str
    extractor: str
    losses: tuple[Term, ...]
    batches: Batches
    optimiser: Optimiser
    head: str = ""
    augment: tuple[Named, ...] = ()
    cache_px: int = 256
    side_px: int | None = None
    epochs: int = 20
    patience: int = 7
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.losses:
            raise SpecError(f"losses is empty; name at least one of {', '.join(LOSSES)}.")
        for key, value in (("epochs", self.epochs), ("patience", self.patience), ("cache_px", self.cache_px)):
            check_least(key, value, 1)
        check_least("seed", self.seed, 0)
        augmentation_of(self.augment)
        if self.side_px is not None:
            check_least("side_px", self.side_px, 1)
            if self.side_px > self.cache_px:
                raise SpecError(
                    f"side_px is {self.side_px}, cache_px {self.cache_px}: the network would see enlarged "
                    f"images. Set cache_px to {self.side_px} or more."
                )

    @property
    def needs_order(self) -> bool:
        """Whether labels must be grades: a loss asks how far apart two of them are."""
        return any(term.name in NEEDS_ORDER for term in self.losses)

    @property
    def rates_hint(self) -> str:
        """The settings to lower when a loss is no number."""
        each = self.optimiser
        rates = f"new_rate = {each.new_rate:g}, old_rate = {each.old_rate:g}"
        return f"optimiser.{rates}, or clip = {each.clip:g}"

    @property
    def sha256(self) -> str:
        """Of everything said here."""
        return page_sha256(self.to_dict())

    def to_dict(self) -> dict[str, JSON]:
        """The page: plain values, which ``recipe_of`` takes back exactly."""
        values: dict[str, JSON] = {
            "name": self.name,
            "kind": "network",
            "extractor": self.extractor,
            "head": self.head,
            "epochs": self.epochs,
            "patience": self.patience,
            "seed": self.seed,
            "cache_px": self.cache_px,
            "side_px": self.side_px,
            "augment": [each.to_dict() for each in self.augment],
            "batches": {"size": self.batches.size, "per_class": self.batches.per_class},
            "optimiser": {
                "old_rate": self.optimiser.old_rate,
                "new_rate": self.optimiser.new_rate,
                "weight_decay": self.optimiser.weight_decay,
                "clip": self.optimiser.clip,
            },
            "losses": {term.name: {"weight": term.weight, **term.settings} for term in self.losses},
        }
        return _said(values)


def _said(values: Mapping[str, JSON]) -> dict[str, JSON]:
    """Without what is None, which TOML can't say."""
    return {
        key: _said(value) if isinstance(value, dict) else value
        for key, value in values.items()
        if value is not None
    }
