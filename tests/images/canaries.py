"""A canary in every text-like element of a DICOM file."""

from __future__ import annotations

import warnings
from io import BytesIO

from pydicom import dcmread
from pydicom._dicom_dict import DicomDictionary
from pydicom.config import disable_value_validation
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

CANARY = "CANARY7"
TEXT_VRS = {
    "AE",
    "AS",
    "CS",
    "DA",
    "DT",
    "LO",
    "LT",
    "PN",
    "SH",
    "ST",
    "TM",
    "UC",
    "UI",
    "UR",
    "UT",
    "DS",
    "IS",
}


def with_canaries(data: bytes, *, keep_what_decides_pixels: bool) -> bytes:
    """A canary in every text-like element: of the dictionary, private, in sequences, in the headers."""
    decides = {"Rows", "PhotometricInterpretation", "NumberOfFrames", "VOILUTFunction", "SOPClassUID"}
    dataset = dcmread(BytesIO(data))
    with disable_value_validation(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for tag, (vr, _, _, _, keyword) in DicomDictionary.items():
            is_text = vr in TEXT_VRS and Tag(tag).group > 2
            if not is_text or (keep_what_decides_pixels and keyword in decides):
                continue
            value = CANARY.encode() + b" "  # raw, because pydicom writes no text where a number belongs
            dataset[tag] = RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)
        dataset.add_new(0x00091010, "LO", CANARY)
        person = Dataset()
        person.PatientName, person.PatientID, person.CodeValue, person.FrameLaterality = (CANARY,) * 4
        dataset.ViewCodeSequence = [person]
        dataset.ReferencedPatientSequence = [person]
        dataset.preamble = (CANARY * 20)[:128].encode()
        dataset.file_meta.ImplementationVersionName = CANARY
        dataset.file_meta.SourceApplicationEntityTitle = CANARY
        file = BytesIO()
        dataset.save_as(file)
    return file.getvalue()
