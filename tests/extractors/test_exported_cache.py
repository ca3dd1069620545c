"""The second build with an extractor needs no torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cbir.extractors.build import resolve_extractor
from cbir.extractors.exported_cache import put_exported


@pytest.fixture
def resolved(tiny_model):
    return resolve_extractor(tiny_model / "tiny.toml")


def fill(resolved, folder: Path, cache: Path) -> tuple[bytes, bool]:
    """The network written, and whether it had to be exported."""
    exported = []
    folder.mkdir()
    put_exported(resolved, folder, cache_dir=cache, on_export=lambda: exported.append(1))
    return (folder / "branch0.onnx").read_bytes(), bool(exported)


def test_a_network_is_exported_once(resolved, tmp_path):
    first, exported = fill(resolved, tmp_path / "one", tmp_path / "cache")
    assert exported
    assert fill(resolved, tmp_path / "two", tmp_path / "cache") == (first, False)
    assert [path.name.startswith(resolved.spec.fingerprint) for path in (tmp_path / "cache").iterdir()] == [
        True
    ]


def test_a_damaged_entry_is_made_anew(resolved, tmp_path):
    first, _ = fill(resolved, tmp_path / "one", tmp_path / "cache")
    (kept,) = (tmp_path / "cache").glob("*/branch0.onnx")
    kept.write_bytes(first[:-1] + b"x")
    second, exported = fill(resolved, tmp_path / "two", tmp_path / "cache")
    assert exported
    assert len(second) == len(first)


def test_a_cache_that_can_not_be_written_fails_nothing(resolved, tmp_path):
    (tmp_path / "cache").write_text("a file in the way")
    assert fill(resolved, tmp_path / "one", tmp_path / "cache")[1]


def test_a_cached_network_needs_no_torch(resolved, tiny_model, tmp_path):
    fill(resolved, tmp_path / "one", tmp_path / "cache")
    (tmp_path / "two").mkdir()
    code = (
        "import sys; from pathlib import Path; from cbir.extractors.build import resolve_extractor; "
        "from cbir.extractors.exported_cache import put_exported; "
        "put_exported(resolve_extractor(sys.argv[1]), Path(sys.argv[2]), cache_dir=Path(sys.argv[3])); "
        "print(*{'torch', 'timm'} & set(sys.modules))"
    )
    words = [sys.executable, "-c", code, tiny_model / "tiny.toml", tmp_path / "two", tmp_path / "cache"]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
    assert (tmp_path / "two" / "branch0.onnx").is_file()
