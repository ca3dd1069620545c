"""A double of a PACS: QIDO-RS and WADO-RS over HTTP, on the loopback, which can be told to fail."""

from __future__ import annotations

import base64
import json
import re
import socket
import ssl
import struct
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import pydicom
from server_faults import Fault, FaultPlan

STUDY, SERIES, INSTANCE = "0020000D", "0020000E", "00080018"
LEVELS = {"studies": STUDY, "series": SERIES, "instances": INSTANCE}
SAID = {
    STUDY: ("StudyInstanceUID", "StudyDate", "PatientName", "PatientID"),
    SERIES: ("SeriesInstanceUID", "Modality"),
    INSTANCE: ("SOPInstanceUID", "SOPClassUID", "InstanceNumber", "Rows", "Columns", "BitsAllocated"),
}
ROOT = "/dicom-web"


@dataclass(frozen=True)
class Stored:
    content: bytes
    dataset: pydicom.Dataset

    def uid(self, tag: str) -> str:
        return str(self.dataset[tag].value)


class DicomWebDouble:
    """Listens from ``with`` on; ``url`` says where.

    Args:
        user: with ``password``, who may ask; None lets everybody in.
        token: likewise.
        page_cap: answers it gives at once, at most.
        knows_offset: else it gives the first page each time.
        certificate: a PEM file with a key and a certificate: it speaks TLS.
    """

    def __init__(
        self,
        *,
        user: str | None = None,
        password: str | None = None,
        token: str | None = None,
        page_cap: int = 1000,
        knows_offset: bool = True,
        certificate: Path | None = None,
    ) -> None:
        self.plan = FaultPlan()
        self.stored: dict[str, Stored] = {}
        self.n_unnamed = 0
        """Instances of every series that are listed without a UID."""
        self.page_cap, self.knows_offset = page_cap, knows_offset
        self.most_at_once = 0
        self.authorization = f"Bearer {token}" if token else None
        if user is not None:
            self.authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self._under_way = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.double = self
        self._scheme = "http" if certificate is None else "https"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}{ROOT}"

    @property
    def source(self) -> str:
        return f"dicomweb+{self.url}"

    def put(self, content: bytes) -> str:
        """Store an instance, in the place of one with its UID; the URL that it has."""
        stored = Stored(content, pydicom.dcmread(BytesIO(content), stop_before_pixels=True))
        self.stored[stored.uid(INSTANCE)] = stored
        uids = (stored.uid(tag) for tag in LEVELS.values())
        return self.url + "".join(f"/{level}/{uid}" for level, uid in zip(LEVELS, uids, strict=True))

    def n_fetched(self) -> int:
        return self.plan.n_seen(r"/instances/[0-9.]+$")

    def begin(self) -> None:
        with self._lock:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)

    def end(self) -> None:
        with self._lock:
            self._under_way -= 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    double: DicomWebDouble

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name it is called with)
        """Tests print nothing."""

    def do_GET(self) -> None:
        double = self.server.double
        fault = double.plan.of(f"GET {self.path}")
        double.begin()
        try:
            self._serve(double, fault)
        finally:
            double.end()

    def _serve(self, double: DicomWebDouble, fault: Fault | None) -> None:
        if fault and fault.kind == "slow":
            threading.Event().wait(fault.delay_s)  # tests replace time.sleep
        if fault and fault.kind == "reset":
            self._reset()
            return
        status, kind, content = self._answer(double)
        headers = {"Content-Type": kind}
        match fault.kind if fault else None:
            case "limited":
                status, content = 429, b"slow down"
                headers["Retry-After"] = str(fault.retry_after_s)
            case "failing":
                status, content = 500, b"no"
            case "nonsense":
                status, content, headers = 200, b"<html>", {"Content-Type": "text/html"}
            case "moved":
                status, content, headers = 302, b"", {"Location": "http://127.0.0.1:9/elsewhere"}
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if fault and fault.kind == "cut":
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            self._reset()
            return
        self.wfile.write(content)

    def _answer(self, double: DicomWebDouble) -> tuple[int, str, bytes]:
        if double.authorization and self.headers.get("Authorization") != double.authorization:
            return 401, "text/plain", b"who are you?"
        parts = urlsplit(self.path)
        if not parts.path.startswith(f"{ROOT}/"):
            return 404, "text/plain", b"no such thing"
        words = parts.path.removeprefix(ROOT).strip("/").split("/")
        uids = {LEVELS[level]: uid for level, uid in zip(words[::2], words[1::2], strict=False)}
        there = [each for each in double.stored.values() if all(each.uid(tag) == uids[tag] for tag in uids)]
        if len(words) % 2 and words[-1] in LEVELS:
            if uids and not there:
                return 404, "text/plain", b"no such study"
            return (
                200,
                "application/dicom+json",
                _listed(double, there, LEVELS[words[-1]], parse_qs(parts.query)),
            )
        if INSTANCE in uids and there:
            mark = b"5b4f"
            body = b"--" + mark + b"\r\nContent-Type: application/dicom\r\n\r\n" + there[0].content
            return (
                200,
                f'multipart/related; type="application/dicom"; boundary={mark.decode()}',
                (body + b"\r\n--" + mark + b"--\r\n"),
            )
        return 404, "text/plain", b"no such thing"

    def _reset(self) -> None:
        # Lingering for no time makes close send a reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


def _listed(double: DicomWebDouble, there: list[Stored], level: str, query: dict[str, list[str]]) -> bytes:
    answers: dict[str, dict[str, Any]] = {}
    for each in there:
        if all(_fits(each.dataset, keyword, values[0]) for keyword, values in query.items()):
            said = {name: each.dataset[name] for name in SAID[level] if name in each.dataset}
            answers[each.uid(level)] = {
                f"{value.tag:08X}": {"vr": value.VR, "Value": [_plain(value.value)]}
                for value in said.values()
            }
    listed = list(answers.values())
    if level == INSTANCE and "SOPInstanceUID" not in query:
        listed += [{"00200013": {"vr": "IS", "Value": [99]}}] * double.n_unnamed
    first = int(query.get("offset", ["0"])[0]) if double.knows_offset else 0
    limit = min(int(query.get("limit", ["1000"])[0]), double.page_cap)
    return json.dumps(listed[first : first + limit]).encode()


def _fits(dataset: pydicom.Dataset, keyword: str, wanted: str) -> bool:
    if keyword in ("limit", "offset"):
        return True
    found = str(dataset.get({"ModalitiesInStudy": "Modality"}.get(keyword, keyword), ""))
    if keyword == "StudyDate" and re.search("-", wanted):
        first, last = wanted.split("-")
        return (first or "0") <= found <= (last or "9")
    return found == wanted


def _plain(value: object) -> object:
    return (
        value if isinstance(value, int) else {"Alphabetic": str(value)} if "^" in str(value) else str(value)
    )
