"""Where this user's files are."""

from __future__ import annotations

import os
from pathlib import Path


def config_folder() -> Path:
    """Of cbir.toml and patient.key."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "cbir"


def cache_folder() -> Path:
    """Of what can be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cbir"


def weights_folder() -> Path:
    """Of weights that were installed, and of the sha256 of all that were ever pulled."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "cbir" / "weights"
