"""Steps as the dictionaries that specs, presets and manifests hold."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeAlias, get_type_hints

from cbir.errors import SpecError
from cbir.images.steps.bgr import Bgr
from cbir.images.steps.centre_crop import CentreCrop
from cbir.images.steps.clahe import Clahe
from cbir.images.steps.crop_breast import CropBreast
from cbir.images.steps.flip import Flip
from cbir.images.steps.grey import Grey
from cbir.images.steps.jitter import Jitter
from cbir.images.steps.macenko import Macenko
from cbir.images.steps.normalise import Normalise
from cbir.images.steps.resize import Resize
from cbir.images.steps.rotate import Rotate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbir.images.steps.step import Step

JSON: TypeAlias = "str | int | float | bool | list[JSON] | dict[str, JSON] | None"

_Any = CropBreast | Clahe | Macenko | Resize | CentreCrop | Flip | Rotate | Jitter | Bgr | Normalise | Grey

STEPS: dict[str, type[_Any]] = {
    step.name: step
    for step in (
        *(CropBreast, Clahe, Macenko, Resize, CentreCrop, Flip, Rotate, Jitter, Bgr),
        *(Normalise, Grey),
    )
}
"""Every step by the name that a spec calls it."""


def step_to_dict(step: Step) -> dict[str, JSON]:
    """Write a step with all of its settings: ``{"step": "clahe", "clip": 2.0, "tiles": 8}``."""
    settings = dataclasses.asdict(step)  # type: ignore[call-overload]  # a Protocol can't say "dataclass"
    return {"step": step.name} | {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()}


def step_from_dict(settings: Mapping[str, object]) -> Step:
    """Read what :func:`step_to_dict` wrote; settings left out take their defaults.

    Raises:
        SpecError: no or an unknown step, an unknown or missing setting, a value of the wrong type or range.
    """
    name = settings.get("step")
    if not isinstance(name, str) or name not in STEPS:
        raise SpecError(f"Step {name!r} is unknown; the steps are {', '.join(STEPS)}.")
    kind = STEPS[name]
    fields = {field.name: field for field in dataclasses.fields(kind)}
    given = {key: value for key, value in settings.items() if key != "step"}
    if unknown := [key for key in given if key not in fields]:
        raise SpecError(f"Step {name} has no setting {unknown[0]!r}; it has {', '.join(fields)}.")
    required = [key for key, field in fields.items() if field.default is dataclasses.MISSING]
    if missing := [key for key in required if key not in given]:
        raise SpecError(f"Step {name} needs the setting {missing[0]!r}.")
    hints = get_type_hints(kind)
    return kind(**{key: _typed(name, key, value, hints[key]) for key, value in given.items()})


def _typed(step: str, key: str, value: object, hint: object) -> Any:
    """Bring a JSON or TOML value to the field's type; whole numbers are fine where a fraction may stand."""
    if hint is int and type(value) is int:
        return value
    if hint is float and type(value) in (int, float):
        return float(value)  # type: ignore[arg-type]  # mypy does not narrow by `type(…) in`
    if hint == tuple[float, float, float] and isinstance(value, list | tuple):
        return tuple(_typed(step, key, number, float) for number in value)
    if hint not in (int, float) and isinstance(value, str):
        return value
    wanted = {int: "a whole number", float: "a number"}.get(hint, "text or a list of numbers")  # type: ignore[call-overload]
    raise SpecError(f"Step {step}: {key} is {value!r}; it must be {wanted}.")
