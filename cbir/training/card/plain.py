"""Plain values of what all cards tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.evaluation.plain import plain_ends, plain_number
from cbir.training.run.counts import count_parts

if TYPE_CHECKING:
    from cbir.evaluation.intervals import Interval
    from cbir.evaluation.summary import Estimate
    from cbir.images.steps import JSON
    from cbir.training.material import Material


def plain_estimate(estimate: Estimate) -> JSON:
    """A measure with its interval and chances; null where there is none."""
    return {
        "value": plain_number(estimate.value),
        "interval": plain_interval(estimate.interval),
        "random": plain_number(estimate.random),
        "majority": plain_number(estimate.majority),
    }


def plain_interval(interval: Interval | None) -> JSON:
    """Both ends; null without an interval."""
    ends = plain_ends(interval)
    return None if ends is None else list(ends)


def plain_parts(material: Material) -> JSON:
    """How many images, patients and classes each part has."""
    return [
        {
            "part": each.part,
            "images": each.n_images,
            "groups": each.n_groups,
            "by_class": list(each.by_class),
        }
        for each in count_parts(material)
    ]
