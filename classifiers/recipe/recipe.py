"""A recipe that trains a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbir.errors import SpecError
from cbir.images.steps import Grey, Normalise, Resize, step_to_dict
from cbir.nearest import nearest
from cbir.training.feeding.augment import augmentation_of
from cbir.training.recipe.entry import Named, check_least, page_sha256
from cbir.training.settings import read_settings
from classifiers.losses import LOSSES, NEEDS_ORDER
from classifiers.spec import check_network

if TYPE_CHECKING:
    from cbir.images.steps import JSON, Step
    from cbir.training.recipe import Batches
    from classifiers.recipe.stage import Stage


@dataclass(frozen=True, slots=True)
class ClassifierRecipe:
    """A training of a classifier, stage by stage.

    Args:
        name: for people.
        extractor: the start: a preset's name, a page of TOML, or the run of a classifier.
        network: of ``NETWORKS``, with its settings.
        loss: of ``LOSSES``, with its settings.
        batches: of a step; all stages have the same.
        stages: in their order, at least one.
        augment: of ``AUGMENTATIONS``, in their order.
        prepare: steps before those of the start: CLAHE, a stain's normalisation.
        normalise: in place of the start's; None keeps that.
        oversample: whether images of rarer classes are repeated, in the training part alone, until classes
            are equal.
        cache_px: the longer side to which an image is brought once, before the augmentation.
        side_px: of what the network gets; None as the start has it.
        seed: of everything that is drawn.

    Raises:
        SpecError: a value out of its range, or a part that there is not.
    """

    name: str
    extractor: str
    network: Named
    loss: Named
    batches: Batches
    stages: tuple[Stage, ...]
    augment: tuple[Named, ...] = ()
    prepare: tuple[Step, ...] = ()
    normalise: Normalise | None = None
    oversample: bool = False
    cache_px: int = 256
    side_px: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.stages:
            raise SpecError("stage: none named; a training has at least one.")
        check_network(self.network)
        if self.loss.name not in LOSSES:
            raise SpecError(f"loss: unknown loss {self.loss.name!r}; {nearest(self.loss.name, LOSSES)}")
        read_settings("loss", self.loss.settings, LOSSES[self.loss.name])
        augmentation_of(self.augment)
        self._check_sizes()
        for step in self.prepare:
            if isinstance(step, Resize | Normalise | Grey):
                raise SpecError(
                    f"prepare: {step.name} is the start's; write side_px or normalise in its place."
                )

    def _check_sizes(self) -> None:
        if self.batches.per_class is not None and self.oversample:
            raise SpecError(
                f"batches: per_class is {self.batches.per_class} and oversample is true, which are two ways "
                "to one end; leave one out."
            )
        check_least("seed", self.seed, 0)
        check_least("cache_px", self.cache_px, 1)
        if self.side_px is None:
            return
        check_least("side_px", self.side_px, 1)
        if self.side_px > self.cache_px:
            raise SpecError(
                f"side_px is {self.side_px}, cache_px {self.cache_px}: the network would see enlarged "
                f"images. Set cache_px to {self.side_px} or more."
            )

    @property
    def needs_order(self) -> bool:
        """Whether labels must be grades: the loss asks how far apart two of them are."""
        return self.loss.name in NEEDS_ORDER

    @property
    def rates_hint(self) -> str:
        """The settings to lower when a loss is no number."""
        return "stage.rate = " + " or ".join(f"{stage.rate:g}" for stage in self.stages)

    @property
    def n_epochs(self) -> int:
        """Of all stages, at most."""
        return sum(stage.epochs for stage in self.stages)

    @property
    def sha256(self) -> str:
        """Of everything said here."""
        return page_sha256(self.to_dict())

    def to_dict(self) -> dict[str, JSON]:
        """The page: plain values, which ``recipe_of`` takes back exactly."""
        page: dict[str, JSON] = {
            "name": self.name,
            "kind": "classifier",
            "extractor": self.extractor,
            "seed": self.seed,
            "cache_px": self.cache_px,
            "oversample": self.oversample,
            "prepare": [step_to_dict(step) for step in self.prepare],
            "augment": [each.to_dict() for each in self.augment],
            "network": self.network.to_dict(),
            "loss": self.loss.to_dict(),
            "batches": {
                "size": self.batches.size,
                **({"per_class": self.batches.per_class} if self.batches.per_class else {}),
            },
            "stage": [stage.to_dict() for stage in self.stages],
        }
        if self.side_px is not None:
            page["side_px"] = self.side_px
        if self.normalise is not None:
            page["normalise"] = {"mean": list(self.normalise.mean), "std": list(self.normalise.std)}
        return page
