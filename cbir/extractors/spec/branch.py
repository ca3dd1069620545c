"""One network, or one descriptor, with its preprocessing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self, TypeAlias, get_args

from cbir.errors import SpecError
from cbir.extractors.entries import int_entry, mapping, only_keys, steps_entry, text_entry
from cbir.extractors.spec.weights import WeightsRef
from cbir.images.steps import JSON, Grey, Normalise, Resize, Step, step_to_dict

if TYPE_CHECKING:
    from collections.abc import Mapping

Pooling: TypeAlias = Literal["model", "avg", "max", "gem"]
"""``model`` is the network's own pooled output, the others pool its last feature map."""

_IMPORTED = "imported"
_HANDCRAFTED = "handcrafted"
_LAST_STEPS: dict[str, type[Step]] = {"timm": Normalise, _HANDCRAFTED: Grey}
_N_CHANNELS = {"timm": 3, _HANDCRAFTED: 1}


@dataclass(frozen=True, slots=True)
class BranchSpec:
    """One network, or one descriptor, with its preprocessing.

    Args:
        backbone: ``timm:`` and a model name of timm; ``handcrafted:`` and a descriptor; or ``imported:`` and
            a name, for embeddings that were computed elsewhere.
        weights: the file its numbers come from; of a descriptor, its settings.
        preprocess: the steps in order; has a ``resize`` and ends with ``normalise``, of a descriptor with
            ``grey``; of an imported branch none, because nothing is known of them.
        pooling: how the feature map becomes one vector; ``model`` but for networks.
        dim: of that vector, >= 1.

    Raises:
        SpecError: a value that is none of these.
    """

    backbone: str
    weights: WeightsRef
    preprocess: tuple[Step, ...]
    pooling: Pooling
    dim: int

    def __post_init__(self) -> None:
        kind, model = self.kind, self.model
        if kind not in (*_LAST_STEPS, _IMPORTED) or not model.strip():
            raise SpecError(
                f"Backbone {self.backbone!r} is unknown; write timm:MODEL or handcrafted:DESCRIPTOR, as "
                "timm:densenet121."
            )
        if self.pooling not in get_args(Pooling):
            raise SpecError(f"Pooling is {self.pooling!r}; use one of {', '.join(get_args(Pooling))}.")
        if kind != "timm" and self.pooling != "model":
            raise SpecError(f"Branch {self.backbone}: pooling is {self.pooling}; it has none but model.")
        if type(self.dim) is not int or self.dim < 1:
            raise SpecError(f"Branch {self.backbone}: dim is {self.dim!r}; use a whole number from 1.")
        if kind == _IMPORTED:
            if self.preprocess:
                raise SpecError(
                    f"Branch {self.backbone}: {len(self.preprocess)} preprocessing steps; an imported branch "
                    "has none."
                )
            return
        last = _LAST_STEPS[kind]
        finals = [isinstance(step, tuple(_LAST_STEPS.values())) for step in self.preprocess]
        if finals.count(True) != 1 or not isinstance(self.preprocess[-1], last):
            raise SpecError(f"Branch {self.backbone}: the last step, and no other, must be {last.name}.")
        if not any(isinstance(step, Resize) for step in self.preprocess):
            raise SpecError(f"Branch {self.backbone}: no step brings images to one size; add a resize.")

    @property
    def kind(self) -> str:
        """``timm``, ``handcrafted`` or ``imported``."""
        return self.backbone.partition(":")[0]

    @property
    def model(self) -> str:
        """The backbone without its kind."""
        return self.backbone.partition(":")[2]

    @property
    def is_imported(self) -> bool:
        """Whether its vectors were computed elsewhere: there is no network to run."""
        return self.kind == _IMPORTED

    @property
    def is_handcrafted(self) -> bool:
        """Whether it is a descriptor: there are no weights, and no network to export."""
        return self.kind == _HANDCRAFTED

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of what the network or descriptor gets.

        Raises:
            SpecError: an imported branch has no network.
        """
        if self.is_imported:
            raise SpecError(f"Branch {self.backbone} was computed elsewhere; it has no network to run.")
        resize = [step for step in self.preprocess if isinstance(step, Resize)][-1]
        return _N_CHANNELS[self.kind], resize.height_px, resize.width_px

    def to_dict(self) -> dict[str, JSON]:
        """Plain values, for JSON; ``from_dict`` takes them back exactly."""
        return {
            "backbone": self.backbone,
            "weights": self.weights.to_dict(),
            "preprocess": [step_to_dict(step) for step in self.preprocess],
            "pooling": self.pooling,
            "dim": self.dim,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Rebuild from ``to_dict``.

        Raises:
            SpecError: a key or value that makes no sense.
        """
        only_keys("branch", values, ("backbone", "weights", "preprocess", "pooling", "dim"))
        return cls(
            backbone=text_entry("branch", values, "backbone"),
            weights=WeightsRef.from_dict(mapping("weights", values.get("weights"))),
            preprocess=steps_entry(values),
            pooling=text_entry("branch", values, "pooling"),  # type: ignore[arg-type]  # checked above
            dim=int_entry("branch", values, "dim"),
        )
