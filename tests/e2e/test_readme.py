"""The README's own commands, run one after the other as a reader would."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
from pydicom.data import get_testdata_file

ROOT = Path(__file__).resolve().parents[2]


def commands() -> list[str]:
    blocks = re.findall(r"^```\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("cbir ") and "install-completion" not in line]


def test_the_commands_of_the_readme_run_in_their_order(tmp_path):
    (tmp_path / "images").mkdir()
    rows = ["path,label,patient_id"]
    for number in range(12):
        noise = np.random.default_rng(number).integers(0, 255, (64, 64), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / "images" / f"{number}.png"), cv2.GaussianBlur(noise, (0, 0), 3))
        rows.append(f"images/{number}.png,{'benign' if number % 2 else 'malignant'},p{number // 2}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    shutil.copy(tmp_path / "images" / "3.png", tmp_path / "img.png")
    shutil.copy(get_testdata_file("CT_small.dcm", download=False), tmp_path / "img.dcm")
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    assert len(commands()) >= 4
    for line in commands():
        done = subprocess.run(
            shlex.split(line), cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    assert (tmp_path / "hits.html").is_file()
