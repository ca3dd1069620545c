"""A real Orthanc with its DICOMweb plug-in, on free ports, with a storage of its own."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

USER, PASSWORD = "reader", "a-word-nobody-writes-down"
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
START_S = 30


class Orthanc:
    """Listens on the loopback; asks for USER and PASSWORD."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.source = f"dicomweb+http://127.0.0.1:{port}/dicom-web"

    def put(self, content: bytes) -> str:
        """Store an instance; the id that Orthanc gives it."""
        return json.loads(self.ask("POST", "/instances", content))["ID"]

    def delete(self, orthanc_id: str) -> None:
        self.ask("DELETE", f"/instances/{orthanc_id}")

    def ask(self, method: str, path: str, content: bytes | None = None) -> bytes:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=START_S)
        secret = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        connection.request(method, path, content, {"Authorization": f"Basic {secret}"})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        assert response.status == 200, (method, path, response.status, body[:200])
        return body


@contextmanager
def start_orthanc(folder: Path) -> Iterator[Orthanc]:
    """Start it, or skip where it is not installed."""
    program = shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None or not PLUGIN.exists():
        pytest.skip("Orthanc is not installed: apt-get install orthanc orthanc-dicomweb")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    settings: dict[str, Any] = {
        "StorageDirectory": str(folder / "db"), "IndexDirectory": str(folder / "db"),
        "HttpPort": port, "RemoteAccessAllowed": False, "DicomServerEnabled": False,
        "AuthenticationEnabled": True, "RegisteredUsers": {USER: PASSWORD},
        "Plugins": [str(PLUGIN)], "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, folder / "orthanc.json"], stdout=log, stderr=log, cwd=folder)
    try:
        running = Orthanc(port)
        _wait_until_it_answers(running, process, folder / "log")
        yield running
    finally:
        process.kill()  # its storage is nobody's
        process.wait(START_S)


def _wait_until_it_answers(running: Orthanc, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + START_S
    while True:
        try:
            running.ask("GET", "/system")
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < give_up, log.read_text()
            time.sleep(0.05)
        else:
            return
