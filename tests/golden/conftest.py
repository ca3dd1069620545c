"""What made the golden indexes is importable here."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("index")))
sys.path.insert(0, str(Path(__file__).parents[1] / "indexer"))
