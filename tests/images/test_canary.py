"""Nothing that a patient or a clinic wrote into a DICOM file comes out of it."""

from __future__ import annotations

import logging
import random
import traceback
from dataclasses import asdict

import numpy as np
import pytest
from canaries import CANARY, with_canaries

from cbir.errors import ImageError
from cbir.images.reader import read_images

RAMP = np.arange(48 * 40, dtype=np.uint16).reshape(48, 40)


def said(data: bytes) -> str:
    """Everything that reading the file says, good or bad."""
    try:
        images = read_images(data, hash_key=b"key")
    except ImageError as error:
        return str(error) + repr(error) + "".join(traceback.format_exception(error, chain=True))
    return "".join(f"{asdict(image.info)} {image.info.metadata()} {image.notes}" for image in images)


@pytest.fixture(params=[True, False], ids=["readable", "every element"])
def canaries(request, make_dicom) -> bytes:
    return with_canaries(make_dicom(RAMP), keep_what_decides_pixels=request.param)


def test_the_canary_is_in_the_file_and_its_pixels_are_read(make_dicom):
    data = with_canaries(make_dicom(RAMP), keep_what_decides_pixels=True)
    assert data.count(CANARY.encode()) > 1000
    assert read_images(data)[0].pixels.shape == (48, 40)


def test_no_text_of_the_file_comes_out(canaries, caplog, capfd):
    with caplog.at_level(logging.DEBUG):
        spoken = said(canaries)
    assert CANARY not in spoken
    assert CANARY not in caplog.text
    assert CANARY not in "".join(capfd.readouterr())


def test_no_text_comes_out_of_a_damaged_file_either(canaries, caplog, capfd):
    rng = random.Random(3)
    outcomes: set[str] = set()
    for number in range(60):
        damaged = bytearray(canaries)
        for _ in range(rng.choice([1, 10, 200])):
            damaged[rng.randrange(132, len(damaged))] = rng.randrange(256)
        if number % 3 == 0:
            del damaged[rng.randrange(200, len(damaged)) :]
        spoken = said(bytes(damaged))
        outcomes.add(spoken[:12])
        assert CANARY not in spoken
    assert len(outcomes) > 1
    assert CANARY not in caplog.text
    assert CANARY not in "".join(capfd.readouterr())


@pytest.mark.parametrize("syntax", [CANARY, f"1.2.840.10008.{CANARY}"])
def test_no_text_comes_out_of_the_transfer_syntax(make_dicom, syntax):
    data = make_dicom(RAMP).replace(b"1.2.840.10008.1.2.1\x00", syntax.encode().ljust(20, b"\x00")[:20], 1)
    assert syntax[:20].encode() in data
    assert CANARY[:6] not in said(data)


def test_a_study_reaches_the_metadata_as_a_keyed_hash_alone(make_dicom):
    uid = "1.2.826.0.1.3680043.9.7777"
    info = read_images(make_dicom(RAMP, StudyInstanceUID=uid), hash_key=b"key")[0].info
    assert info.metadata()["study"] == info.study
    assert uid not in f"{asdict(info)} {info.metadata()}"
    other = read_images(make_dicom(RAMP, StudyInstanceUID=uid), hash_key=b"other")[0].info
    assert other.study != info.study


def test_the_hashes_tell_the_same_patient_and_no_name(make_dicom):
    one, two, other = (
        read_images(make_dicom(RAMP, PatientID=patient), hash_key=b"key")[0].info.patient
        for patient in (CANARY, CANARY, "another")
    )
    assert one == two != other
