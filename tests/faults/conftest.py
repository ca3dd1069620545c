"""The helpers beside these tests, and the small galleries of the indexer's, are importable here."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "indexer"))
sys.path.insert(0, str(Path(__file__).parent))
