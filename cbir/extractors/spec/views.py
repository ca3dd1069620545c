"""Test-time augmentation: the views of an image whose vectors are averaged.

The five of the super-ensemble's notebook (arXiv 2508.04790), made deterministic: where it draws an angle, a
brightness and a contrast, these take the end of the range.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cbir.errors import SpecError
from cbir.images.steps import CentreCrop, Flip, Jitter, Resize, Rotate, Step

Steps = tuple[Step, ...]

ORIGINAL = "original"
_ENLARGED, _OF = 240, 224


def check_views(names: Sequence[str]) -> None:
    """Refuse views that make no sense.

    Raises:
        SpecError: none, one that is not in ``VIEWS``, or one named twice.
    """
    unknown = [name for name in names if name not in VIEWS]
    if unknown or not names or len(set(names)) != len(names):
        raise SpecError(f"tta is {list(names)}; name each of some of {', '.join(VIEWS)} once.")


def _original(steps: Sequence[Step]) -> Steps:
    return tuple(steps)


def _before_last(step: Step) -> Callable[[Sequence[Step]], Steps]:
    return lambda steps: (*steps[:-1], step, steps[-1])


def _zoom(steps: Sequence[Step]) -> Steps:
    """Resize to 240/224 of the size, and keep the centre."""
    place = max(number for number, step in enumerate(steps) if isinstance(step, Resize))
    resize = steps[place]
    height, width = resize.height_px, resize.width_px  # type: ignore[attr-defined]  # it is a Resize
    larger = Resize(
        round(height * _ENLARGED / _OF),
        round(width * _ENLARGED / _OF),
        resize.fit,  # type: ignore[attr-defined]
        resize.interpolation,  # type: ignore[attr-defined]
    )
    return (*steps[:place], larger, CentreCrop(height, width), *steps[place + 1 :])


VIEWS: Mapping[str, Callable[[Sequence[Step]], Steps]] = {
    ORIGINAL: _original,
    "flip": _before_last(Flip()),
    "rotate": _before_last(Rotate(degrees=5.0)),
    "zoom": _zoom,
    "jitter": _before_last(Jitter(brightness=1.1, contrast=1.1)),
}
"""From a branch's steps to those of the view, by name."""

FIVE = tuple(VIEWS)
"""All of them."""
