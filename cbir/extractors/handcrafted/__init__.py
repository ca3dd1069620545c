"""Handcrafted descriptors, one a file: a descriptor is a frozen dataclass and one line in ``DESCRIPTORS``."""

from collections.abc import Mapping

from cbir.extractors.handcrafted.descriptor import Descriptor
from cbir.extractors.handcrafted.gist import Gist
from cbir.extractors.handcrafted.glcm import Glcm
from cbir.extractors.handcrafted.hog import Hog
from cbir.extractors.handcrafted.lbp import Lbp
from cbir.extractors.handcrafted.zernike import Zernike

__all__ = ["DESCRIPTORS", "Descriptor", "Gist", "Glcm", "Hog", "Lbp", "Zernike"]

DESCRIPTORS: Mapping[str, type[Gist | Hog | Lbp | Glcm | Zernike]] = {
    descriptor.name: descriptor for descriptor in (Gist, Hog, Lbp, Glcm, Zernike)
}
"""Every descriptor by the name that a spec calls it."""
