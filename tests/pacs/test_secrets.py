"""Credentials come from the environment and stay there; of a patient nothing is kept but hashes."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from dicomweb_double import DicomWebDouble
from made_dicom import CANARY
from typer.testing import CliRunner

from cbir.errors import BackendError, ItemsError, SpecError
from cbir.items import find_items
from cbir.items.dicomweb import PacsAccess, PacsAddress, PacsServers
from cli.app import app
from indexer.ingest import update_index
from indexer.ingesting.account import IngestOptions, SourceList

SECRET = "ein-geheimes-wort"  # noqa: S105 (made up)


def test_a_password_in_the_url_is_refused_and_not_repeated(tmp_path):
    words = [
        "index",
        "build",
        f"dicomweb+http://reader:{SECRET}@host/dicom-web",
        "-o",
        str(tmp_path / "x.index"),
    ]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1
    assert "CBIR_DICOMWEB_PASSWORD" in result.output
    assert SECRET not in result.output
    assert len(result.output.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("dicomweb+http://host/dicom-web?PatientID=7", "PatientID"),
        ("dicomweb+http://host/dicom-web?modality=MG", "Modality"),
        ("dicomweb+http://host/dicom-web?StudyDate=2020", "20200101-20201231"),
        ("dicomweb+http://host/dicom-web?StudyInstanceUID=1.2/3", "a UID"),
        ("dicomweb+http://host/dicom-web?Modality=MG&Modality=CR", "two sources"),
        ("dicomweb+ftp://host/dicom-web", "no source"),
        ("dicomweb+http:///dicom-web", "no source"),
        ("dicomweb+http://host:port/dicom-web", "makes sense"),
    ],
)
def test_an_address_that_makes_no_sense_says_what_would(text, what):
    with pytest.raises(ItemsError, match=what):
        PacsAddress.parse(text)


def test_an_address_comes_back_as_it_was():
    text = "dicomweb+https://HOST:8443/dicom-web/?StudyDate=20200101-&Modality=MG"
    address = PacsAddress.parse(text)
    assert str(address) == "dicomweb+https://host:8443/dicom-web?Modality=MG&StudyDate=20200101-"
    assert PacsAddress.parse(str(address)) == address


@pytest.mark.parametrize(
    "wrong", [{"user": "a"}, {"password": "b"}, {"user": "a", "password": "b", "token": "c"}]
)
def test_half_a_credential_is_refused(wrong):
    with pytest.raises(SpecError, match="CBIR_DICOMWEB"):
        PacsAccess(**wrong)


def test_credentials_do_not_go_over_plain_http_to_another_machine():
    with PacsServers(PacsAccess(token=SECRET)) as pacs, pytest.raises(SpecError, match="unencrypted"):
        find_items(["dicomweb+http://pacs.example/dicom-web"], pacs=pacs)
    assert SECRET not in repr(PacsAccess(token=SECRET))


def test_credentials_are_not_taken_from_a_file(tmp_path, monkeypatch):
    (tmp_path / "cbir.toml").write_text(f'dicomweb_token = "{SECRET}"\n')
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login reader password {SECRET}\n")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["config", "show"])
    assert result.exit_code == 2
    assert "CBIR_DICOMWEB_TOKEN" in result.output
    assert SECRET not in result.output
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with (
        DicomWebDouble(user="reader", password=SECRET) as double,
        PacsServers(PacsAccess()) as pacs,
        pytest.raises(BackendError, match="lets nobody in"),
    ):
        find_items([double.source], pacs=pacs)


@pytest.mark.parametrize("access", [{"token": SECRET}, {"user": "reader", "password": SECRET}])
def test_neither_credentials_nor_patients_reach_the_index(access, tiny_index, dicom):
    with DicomWebDouble(**access) as double:
        double.put(dicom(1))
        options = IngestOptions(n_workers=1, hash_key=b"test", pacs=PacsAccess(**access))
        assert update_index(tiny_index, SourceList((double.source,)), options).indexed == 1
    for path in tiny_index.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(word.encode() in content for word in (SECRET, CANARY))


def test_a_certificate_is_checked_against_the_named_authority(tmp_path, dicom):
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    pem = tmp_path / "double.pem"
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=double -addext"
    files = ["subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key", "-out", pem]
    subprocess.run([*words.split(), *files], check=True, capture_output=True)
    with (tmp_path / "both.pem").open("wb") as both:
        both.write((tmp_path / "key").read_bytes() + pem.read_bytes())
    with DicomWebDouble(token=SECRET, certificate=tmp_path / "both.pem") as double:
        double.put(dicom(1))
        with PacsServers(PacsAccess(token=SECRET)) as pacs, pytest.raises(BackendError, match="CA_FILE"):
            find_items([double.source], pacs=pacs)
        with PacsServers(PacsAccess(token=SECRET, ca_file=pem)) as pacs:
            (found,) = find_items([double.source], pacs=pacs)
            assert found.remote.read(1 << 20) == dicom(1)


def test_other_commands_say_that_they_read_no_pacs(tmp_path):
    words = ["items", "audit", "dicomweb+http://127.0.0.1:9/dicom-web"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code in (1, 2)
    assert len(result.output.splitlines()) == 1
