"""Preprocessing, one step a file: a step is a frozen dataclass and one line in ``STEPS``."""

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
from cbir.images.steps.spec import JSON, STEPS, step_from_dict, step_to_dict
from cbir.images.steps.step import Raster, Step

__all__ = [
    "JSON",
    "STEPS",
    "Bgr",
    "CentreCrop",
    "Clahe",
    "CropBreast",
    "Flip",
    "Grey",
    "Jitter",
    "Macenko",
    "Normalise",
    "Raster",
    "Resize",
    "Rotate",
    "Step",
    "step_from_dict",
    "step_to_dict",
]
