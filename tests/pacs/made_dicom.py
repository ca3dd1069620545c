"""Small DICOM instances, whose patients' names are a canary."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pydicom
from pydicom.data import get_testdata_file

CANARY = "KANARIENVOGEL"


def small_dicom(
    number: int, *, study: int = 1, modality: str = "CT", date: str = "20200115", side_px: int = 128
) -> bytes:
    """A CT slice, another for every number."""
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm", download=False))
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = f"1.2.826.1.{study}.{number}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"1.2.826.2.{study}", f"1.2.826.3.{study}"
    dataset.PatientName, dataset.PatientID = f"{CANARY}^NAME", f"{CANARY}{study}"
    dataset.Modality, dataset.StudyDate, dataset.InstanceNumber = modality, date, number
    pixels = np.resize(dataset.pixel_array, (side_px, side_px))
    dataset.Rows = dataset.Columns = side_px
    dataset.PixelData = np.roll(pixels, 7 * number, axis=0).tobytes()
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()
