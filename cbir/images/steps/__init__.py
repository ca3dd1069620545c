"""Preprocessing, one step a file: a step is a frozen dataclass and one line in ``STEPS``."""

from cbir.images.steps.clahe import Clahe
from cbir.images.steps.crop_breast import CropBreast
from cbir.images.steps.normalise import Normalise
from cbir.images.steps.resize import Resize
from cbir.images.steps.spec import JSON, STEPS, step_from_dict, step_to_dict
from cbir.images.steps.step import Raster, Step

__all__ = [
    "JSON",
    "STEPS",
    "Clahe",
    "CropBreast",
    "Normalise",
    "Raster",
    "Resize",
    "Step",
    "step_from_dict",
    "step_to_dict",
]
