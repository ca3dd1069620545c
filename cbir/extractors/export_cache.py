"""Exported networks kept between builds: importing torch and exporting take longer than a small build."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cbir.extractors.build import load_resolved
from cbir.extractors.exported import EXPORT_FORMAT, export

if TYPE_CHECKING:
    from cbir.extractors.build import ResolvedExtractor

_CHECKSUMS = "checksums.json"


def export_cached(
    resolved: ResolvedExtractor, directory: Path, *, cache_dir: Path, allow_pickle: bool = False
) -> bool:
    """Put the exported networks into a directory, from the cache if it has them, else by exporting.

    A damaged cache entry counts as missing and is replaced. A cache that can't be written is no error: the
    next build exports again.

    Args:
        resolved: spec and weights files.
        directory: exists; gets ``branch0.onnx``, ``branch1.onnx`` …
        cache_dir: made when missing; may be deleted at any time.
        allow_pickle: as for ``load_extractor``.

    Returns:
        Whether they came from the cache; then torch was not imported.

    Raises:
        SpecError: the spec does not fit its network.
        WeightsError: weights refused, damaged, of another network, or not exported faithfully.
        OSError: the directory can't be written.
    """
    entry = cache_dir / f"{resolved.spec.fingerprint}-{EXPORT_FORMAT}"
    if (files := _verified(entry)) is not None:
        for name, content in files.items():
            (directory / name).write_bytes(content)
        return True
    export(load_resolved(resolved, allow_pickle=allow_pickle), directory)
    n_branches = len(resolved.spec.branches)
    with contextlib.suppress(OSError):
        _publish([directory / f"branch{number}.onnx" for number in range(n_branches)], entry)
    return False


def _verified(entry: Path) -> dict[str, bytes] | None:
    """Give the files of an entry, by name, if each has its checksum."""
    try:
        checksums = json.loads((entry / _CHECKSUMS).read_text(encoding="utf-8"))
        files = {name: (entry / name).read_bytes() for name in checksums}
    except (OSError, ValueError):
        return None
    intact = all(hashlib.sha256(content).hexdigest() == checksums[name] for name, content in files.items())
    return files if intact and files else None


def _publish(paths: list[Path], entry: Path) -> None:
    entry.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=entry.parent) as scratch:
        draft = Path(scratch) / "entry"
        draft.mkdir()
        for path in paths:
            shutil.copyfile(path, draft / path.name)
        checksums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
        (draft / _CHECKSUMS).write_text(json.dumps(checksums), encoding="utf-8")
        shutil.rmtree(entry, ignore_errors=True)
        draft.rename(entry)
