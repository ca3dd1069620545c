"""Small DICOM instances, whose patients' names are a canary."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pydicom
from pydicom.data import get_testdata_file

CANARY = "KANARIENVOGEL"


def small_dicom(number: int, *, study: int = 1, modality: str = "CT", date: str = "20200115") -> bytes:
    """A CT slice of 128 × 128, another for every number."""
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm", download=False))
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = f"1.2.826.1.{study}.{number}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"1.2.826.2.{study}", f"1.2.826.3.{study}"
    dataset.PatientName, dataset.PatientID = f"{CANARY}^NAME", f"{CANARY}{study}"
    dataset.Modality, dataset.StudyDate, dataset.InstanceNumber = modality, date, number
    dataset.PixelData = np.roll(dataset.pixel_array, 7 * number, axis=0).tobytes()
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()
