"""The staircase of imports, the wheel, and what stays out of a light import."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("cbir", "indexer", "classifiers", "cli", "deploy")


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_imports_only_go_down_the_staircase():
    run(Path(sys.executable).parent / "lint-imports", cwd=ROOT)


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_nothing_heavy(package, tmp_path):
    heavy = (
        "torch",
        "timm",
        "faiss",
        "openvino",
        "onnxruntime",
        "qdrant_client",
        "pydicom",
        "pyarrow",
        "cv2",
    )
    code = f"import sys, {package}; print(*(name for name in {heavy!r} if name in sys.modules))"
    assert run(sys.executable, "-c", code, cwd=tmp_path).strip() == ""


def test_the_wheel_installs_into_a_fresh_environment_and_answers(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("cbir-*.whl")
    fresh = tmp_path / "fresh"
    venv.create(fresh, with_pip=True)
    run(fresh / "bin" / "pip", "install", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    # The dependencies are five gigabytes: borrow the ones already installed, but not our own editable one,
    # which lives in a .pth file that a path added by a .pth file does not read.
    (site,) = fresh.glob("lib/python3*/site-packages")
    (site / "dependencies.pth").write_text(str(next(p for p in sys.path if p.endswith("site-packages"))))
    where = "import sys, importlib as i; print(*(i.import_module(n).__file__ for n in sys.argv[1:]))"
    for path in run(fresh / "bin" / "python", "-c", where, *PACKAGES, cwd=tmp_path).split():
        assert Path(path).is_relative_to(fresh)
        assert (Path(path).parent / "py.typed").is_file()
    assert run(fresh / "bin" / "cbir", "--version", cwd=tmp_path).startswith("cbir ")
    assert "quick" in run(fresh / "bin" / "cbir", "index", "build", "--help", cwd=tmp_path)
