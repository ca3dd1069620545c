"""The installation: Python, packages, decoders, weights."""

from __future__ import annotations

import base64
import re
import sys
import time
from collections.abc import Iterator
from importlib import metadata

from cbir.errors import CbirError, MissingLibraryError
from cli.doctor.finding import Finding
from cli.folders import weights_folder
from cli.settings import Settings

_OLDEST_PYTHON = (3, 11)
_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADklEQVR4nGNg+M/A8B8ABQEB/11pNdkAAAAASUVORK5CYII="
)
_UNCOMPRESSED = {
    "1.2.840.10008.1.2": "Implicit VR Little Endian",
    "1.2.840.10008.1.2.1": "Explicit VR Little Endian",
    "1.2.840.10008.1.2.1.99": "Deflated Explicit VR Little Endian",
    "1.2.840.10008.1.2.2": "Explicit VR Big Endian",
}


def installation_findings(settings: Settings) -> Iterator[Finding]:
    """Look at what is installed; starts a decoder worker, loads no network."""
    yield _python()
    yield from _packages()
    yield _worker(settings)
    yield _formats()
    yield _transfer_syntaxes()
    yield _weights(settings)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < _OLDEST_PYTHON:
        return Finding("python", "fail", version, "cbir needs Python 3.11 or newer.")
    return Finding("python", "ok", version)


def _packages() -> Iterator[Finding]:
    try:
        required = metadata.requires("cbir") or []
    except metadata.PackageNotFoundError:
        yield Finding(
            "packages", "warn", "cbir runs from a folder, not from an installation", "pip install it."
        )
        return
    found = []
    for requirement in required:
        parsed = re.match(r"([A-Za-z0-9._-]+)(?:>=([0-9.]+))?", requirement)
        if parsed is None or "extra ==" in requirement:
            continue
        name, least = parsed.groups()
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding("packages", "fail", f"{name} is not installed", f"pip install '{requirement}'")
            continue
        if least and _release(version) < _release(least):
            yield Finding(
                "packages", "fail", f"{name} {version} is older than {least}", f"pip install '{requirement}'"
            )
        found.append(f"{name} {version}")
    yield Finding("packages", "ok", ", ".join(found))


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+", maxsplit=1)[0])[:3])


def _worker(settings: Settings) -> Finding:
    from cbir.images.pool import DecodePool
    from cbir.images.settings import ReadSpec

    started = time.perf_counter()
    try:
        with DecodePool(ReadSpec(), [], limits=settings.limits, n_workers=1) as pool:
            pool.decode(_PNG)
    except CbirError as error:
        return Finding(
            "decoder worker", "fail", str(error), "Set memory_mb and timeout_s higher, or reinstall cbir."
        )
    return Finding("decoder worker", "ok", f"starts and decodes in {time.perf_counter() - started:.2f} s")


def _formats() -> Finding:
    from cbir.images.reader import FORMATS

    return Finding("formats", "ok", ", ".join(FORMATS))


def _transfer_syntaxes() -> Finding:
    try:
        from pydicom.uid import UID

        from cbir.images.dicom.codecs import CODECS
    except (ImportError, MissingLibraryError) as error:
        return Finding("DICOM", "fail", f"no DICOM decoders: {error}", "pip install --force-reinstall cbir")
    names = [*_UNCOMPRESSED.values(), *(UID(uid).name for uid in CODECS if uid not in _UNCOMPRESSED)]
    return Finding("DICOM", "ok", f"{len(names)} transfer syntaxes: {', '.join(names)}")


def _weights(settings: Settings) -> Finding:
    from cbir.extractors.build import resolve_extractor
    from cbir.extractors.weights import WeightsStore

    try:
        resolved = resolve_extractor(
            settings.extractor, weights=settings.weights, offline=True, store=WeightsStore(weights_folder())
        )
    except CbirError as error:
        return Finding(
            "weights",
            "fail",
            f"{settings.extractor}: {error}",
            "Name a local file with --weights, or take --extractor quick.",
        )
    files = [file for file in resolved.files if file]  # a descriptor has none
    pinned = "as pinned" if all(file.pinned for file in files) else "not pinned"
    names = ", ".join(f"{file.ref.name}, sha256 {file.ref.sha256[:12]}… {pinned}" for file in files) or "none"
    return Finding("weights", "ok", f"{settings.extractor}: {names}")
