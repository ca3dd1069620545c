"""The versions that decide numbers."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

_LIBRARIES = ("numpy", "faiss-cpu", "faiss-gpu", "onnxruntime", "openvino", "opencv-python-headless")


def versions() -> Mapping[str, str]:
    """By name: the program, Python, and the libraries that are installed."""
    from cbir import __version__

    found = {"cbir": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
