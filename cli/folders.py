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
