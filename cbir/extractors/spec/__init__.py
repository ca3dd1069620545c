"""Everything that decides the numbers in an embedding, as one frozen value; an idea a file."""

from cbir.extractors.spec.branch import BranchSpec, Pooling
from cbir.extractors.spec.extractor import SPEC_FORMAT, ExtractorSpec
from cbir.extractors.spec.fusion import FusionMethod, FusionSpec
from cbir.extractors.spec.projection import ProjectionSpec
from cbir.extractors.spec.tiles import TileSpec
from cbir.extractors.spec.weights import WeightsRef

__all__ = [
    "SPEC_FORMAT",
    "BranchSpec",
    "ExtractorSpec",
    "FusionMethod",
    "FusionSpec",
    "Pooling",
    "ProjectionSpec",
    "TileSpec",
    "WeightsRef",
]
