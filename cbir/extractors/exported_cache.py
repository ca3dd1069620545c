"""Exported networks kept between builds, so that only the first build with an extractor needs torch."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from cbir import __version__
from cbir.extractors.build import ResolvedExtractor, load_resolved
from cbir.extractors.exported import export
from cbir.extractors.projection import PROJECTION

_SUMS = "sha256.json"
_EXPORT = 2
"""Raised when the same networks are exported otherwise: 2 gives feature maps, too."""


def put_exported(
    resolved: ResolvedExtractor,
    directory: Path,
    *,
    cache_dir: Path | None = None,
    allow_pickle: bool = False,
    on_export: Callable[[], None] = lambda: None,
) -> None:
    """Write the exported networks of an extractor into a directory.

    Args:
        resolved: the extractor, its weights found.
        directory: exists; gets ``branch0.onnx`` …
        cache_dir: looked in first, filled otherwise; a damaged entry is made anew. None: export every time.
        allow_pickle: also read weights that are PyTorch pickles.
        on_export: called before the seconds that an export takes.

    Raises:
        SpecError: the spec does not fit its network.
        WeightsError: weights refused, damaged, or of another network; or the export is not faithful.
    """
    entry = cache_dir / f"{resolved.spec.fingerprint}-{__version__}-{_EXPORT}" if cache_dir else None
    if entry and _is_whole(entry):
        for name in _sums(entry):
            shutil.copyfile(entry / name, directory / name)
        return
    on_export()
    export(load_resolved(resolved, allow_pickle=allow_pickle), directory)
    if entry:
        _keep(directory, entry)


def _is_whole(entry: Path) -> bool:
    try:
        sums = json.loads((entry / _SUMS).read_text())
        return bool(sums == _sums(entry))
    except (OSError, ValueError):
        return False


def _keep(directory: Path, entry: Path) -> None:
    """A cache that can't be written is no reason to fail a build."""
    with contextlib.suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=entry.parent) as name:
            scratch = Path(name) / entry.name
            shutil.copytree(directory, scratch)
            (scratch / _SUMS).write_text(json.dumps(_sums(scratch)))
            shutil.rmtree(entry, ignore_errors=True)
            scratch.replace(entry)


def _sums(folder: Path) -> dict[str, str]:
    files = [*sorted(folder.glob("*.onnx")), *folder.glob(PROJECTION)]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
