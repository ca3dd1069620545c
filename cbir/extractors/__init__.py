"""Pixels to vectors: the spec, presets, timm backbones, their weights, and networks exported to files.

Everything is imported on first use: a program that only opens an exported network never pays for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cbir.extractors.build import ResolvedExtractor, load_extractor, load_resolved, resolve_extractor
    from cbir.extractors.exported import export, open_exported
    from cbir.extractors.exported_cache import put_exported
    from cbir.extractors.extractor import Extractor
    from cbir.extractors.preset import PRESETS, Preset, read_preset
    from cbir.extractors.spec import BranchSpec, ExtractorSpec, FusionSpec, WeightsRef

_HOMES = {
    "BranchSpec": "spec",
    "Extractor": "extractor",
    "ExtractorSpec": "spec",
    "FusionSpec": "spec",
    "PRESETS": "preset",
    "Preset": "preset",
    "ResolvedExtractor": "build",
    "WeightsRef": "spec",
    "export": "exported",
    "load_extractor": "build",
    "load_resolved": "build",
    "open_exported": "exported",
    "put_exported": "exported_cache",
    "read_preset": "preset",
    "resolve_extractor": "build",
}

__all__ = [
    "PRESETS",
    "BranchSpec",
    "Extractor",
    "ExtractorSpec",
    "FusionSpec",
    "Preset",
    "ResolvedExtractor",
    "WeightsRef",
    "export",
    "load_extractor",
    "load_resolved",
    "open_exported",
    "put_exported",
    "read_preset",
    "resolve_extractor",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
