"""A slide is never in memory as a whole: not in the worker, not in the main process."""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from slide_files import resolution

from cbir.images.slides.spec import SlideSpec

pytest.importorskip("openslide", reason="whole slides need the extra wsi")

SIDES_PX = (30_720, 7_680, 2_560)
TILE_PX = 512
MAIN_MB, WORKER_MB = 500, 400
"""2,831 MB are the slide's pixels. With the runtime and its network, 151 and 127 MB were seen."""

RUN = """
import os, sys
from pathlib import Path
import psutil
from indexer.ingesting.account import IngestOptions, SourceList
from indexer.index import Index
from indexer.ingest import update_index

def peak_mb(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) >> 10

workers = [0]

def look(progress):
    workers.extend(peak_mb(child.pid) for child in psutil.Process().children())

report = update_index(
    Path(sys.argv[1]), SourceList((sys.argv[2],)), IngestOptions(n_workers=1), on_progress=look
)
with Index.open(Path(sys.argv[1])) as index:
    n_rows = index.info().n_rows
print(report.indexed, n_rows, peak_mb(os.getpid()), max(workers))
"""


def compressed_tiles(side_px: int) -> Iterator[bytes]:
    """White glass with a square of tissue a fifth as wide, a tile at a time."""
    across = side_px // TILE_PX
    white = np.full((TILE_PX, TILE_PX, 3), 255, np.uint8)
    noise = np.random.default_rng(0).integers(-20, 20, white.shape)
    tissue = np.clip(np.array((200, 90, 160)) + noise, 0, 255).astype(np.uint8)
    coded = zlib.compress(white.tobytes(), 1), zlib.compress(tissue.tobytes(), 1)
    for row in range(across):
        for column in range(across):
            is_tissue = all(2 * across <= 5 * place < 3 * across for place in (row, column))
            yield coded[is_tissue]


@pytest.fixture
def huge(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    with tifffile.TiffWriter(tmp_path / "images" / "huge.tif", bigtiff=True) as file:
        for side_px in SIDES_PX:
            file.write(
                compressed_tiles(side_px), shape=(side_px, side_px, 3), dtype=np.uint8, metadata=None,
                tile=(TILE_PX, TILE_PX), photometric="rgb", compression="zlib",
                subfiletype=int(side_px < SIDES_PX[0]), **resolution(0.5 * SIDES_PX[0] / side_px),
            )  # fmt: skip
    return tmp_path / "images"


def test_a_slide_of_940_megapixels_is_indexed_in_a_fraction_of_its_size(make_slide_index, huge):
    index = make_slide_index(SlideSpec(mpp=0.5, tile_px=224))
    words = [sys.executable, "-c", RUN, str(index), str(huge)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    indexed, n_rows, main_mb, worker_mb = (int(word) for word in done.stdout.split())
    assert indexed == 1
    assert 600 < n_rows < 1000
    assert main_mb < MAIN_MB
    assert 0 < worker_mb < WORKER_MB
