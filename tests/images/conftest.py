"""DICOM files made to measure."""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmwrite
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DigitalMammographyXRayImageStorageForPresentation,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
)

sys.path.insert(0, str(Path(__file__).parent))

MakeDicom = Callable[..., bytes]


def dicom_bytes(
    pixels: np.ndarray | None = None,
    *,
    syntax: str = ExplicitVRLittleEndian,
    frames: list[bytes] | None = None,
    **elements: object,
) -> bytes:
    """A mammogram of ``pixels``, or of compressed ``frames``; keywords set elements; None deletes one."""
    dataset = Dataset()
    dataset.SOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    dataset.SOPInstanceUID = "1.2.3.1"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3.2", "1.2.3.3"
    dataset.PatientID = "Jane"
    dataset.Modality = "MG"
    if pixels is not None:
        bits = pixels.dtype.itemsize * 8
        dataset.Rows, dataset.Columns = pixels.shape[-3:-1] if pixels.shape[-1] == 3 else pixels.shape[-2:]
        dataset.SamplesPerPixel = 3 if pixels.shape[-1] == 3 else 1
        dataset.PhotometricInterpretation = "RGB" if pixels.shape[-1] == 3 else "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
        dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
        dataset.PixelData = pixels.astype(
            pixels.dtype.newbyteorder(">" if syntax == ExplicitVRBigEndian else "<")
        ).tobytes()
        dataset["PixelData"].VR = "OW"
    if frames is not None:
        dataset.PixelData = encapsulate(frames)
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
    with disable_value_validation():
        for keyword, value in elements.items():
            if value is None:
                delattr(dataset, keyword)
            else:
                setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    file = BytesIO()
    with disable_value_validation():
        dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


@pytest.fixture(scope="session")
def make_dicom() -> MakeDicom:
    return dicom_bytes
