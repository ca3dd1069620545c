"""Weights: where they are, whether they are the right ones, how they get to a machine without a network."""

from cbir.extractors.weights.bundle import BundledFile, write_bundle
from cbir.extractors.weights.find import (
    WeightsFile,
    expectation,
    find_weights,
    local_weights,
    locate_weights,
    sha256_of,
)
from cbir.extractors.weights.install import install_bundle, install_file
from cbir.extractors.weights.known import KnownWeights, known_weights
from cbir.extractors.weights.location import HubLocation
from cbir.extractors.weights.prefix import strip_prefix
from cbir.extractors.weights.record import WeightsRecord
from cbir.extractors.weights.store import WeightsStore

__all__ = [
    "BundledFile",
    "HubLocation",
    "KnownWeights",
    "WeightsFile",
    "WeightsRecord",
    "WeightsStore",
    "expectation",
    "find_weights",
    "install_bundle",
    "install_file",
    "known_weights",
    "local_weights",
    "locate_weights",
    "sha256_of",
    "strip_prefix",
    "write_bundle",
]
