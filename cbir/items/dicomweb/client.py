"""The HTTP client of a DICOMweb service: dicomweb-client asks, the bytes of an instance stay bytes.

dicomweb-client itself would parse an instance in this process; here untrusted bytes are for the decoding
workers alone.
"""

from __future__ import annotations

import logging
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cbir import __version__
from cbir.errors import ImageError, MissingLibraryError, SkipReason
from cbir.items.dicomweb.access import PacsAccess
from cbir.items.dicomweb.multipart import NoDicomError, first_part

if TYPE_CHECKING:
    import requests

Answer = Mapping[str, object]
"""One thing found: DICOM JSON, by tag in eight hex digits."""

_AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_CHUNK_BYTES = 1 << 20
_LEAST_RATE = 64 << 10
"""Bytes a second. A server that is slower keeps nobody waiting for ever."""
_WRAPPING_BYTES = 64 << 10
"""What a multipart answer has beside the instance, at most."""


class DicomWebClient:
    """Asks one service; any thread may. What goes wrong is an error of requests or ``multipart``.

    Args:
        base: the URL of the service.
        access: how, and as whom.

    Raises:
        MissingLibraryError: dicomweb-client is not installed.
    """

    def __init__(self, base: str, access: PacsAccess) -> None:
        try:
            import requests
            from dicomweb_client.web import DICOMwebClient
        except ImportError as error:
            raise MissingLibraryError("A PACS needs dicomweb-client: pip install 'cbir[pacs]'.") from error
        logging.getLogger("dicomweb_client").addHandler(logging.NullHandler())  # it repeats servers' warnings
        self._timeout_s = access.timeout_s
        self._session = requests.Session()
        self._session.auth = _credentials(access)
        self._session.max_redirects = 0  # credentials go where a person said
        self._session.headers["User-Agent"] = f"cbir/{__version__}"
        self._session.mount(base, _adapter(access))
        self._client = DICOMwebClient(
            base, session=self._session, permissive_uid=True, timeout=access.timeout_s
        )
        self._client.host = urlsplit(base).netloc  # it is sent as Host, and would lack the port
        self._client.set_http_retry_params(retry=False)

    def studies(self, filters: Mapping[str, str], *, limit: int, offset: int) -> list[Answer]:
        """Search for studies, one page."""
        return _checked(
            self._client.search_for_studies(limit=limit, offset=offset, search_filters=dict(filters))
        )

    def series(self, study: str, filters: Mapping[str, str], *, limit: int, offset: int) -> list[Answer]:
        """Search for the series of a study, one page."""
        return _checked(
            self._client.search_for_series(study, limit=limit, offset=offset, search_filters=dict(filters))
        )

    def instances(
        self, study: str, series: str, filters: Mapping[str, str], *, limit: int, offset: int
    ) -> list[Answer]:
        """Search for the instances of a series, one page."""
        found = self._client.search_for_instances(
            study, series, limit=limit, offset=offset, search_filters=dict(filters)
        )
        return _checked(found)

    def fetch(self, url: str, max_bytes: int) -> bytes:
        """Retrieve an instance as it is stored, whole.

        Raises:
            ImageError: ``too_large``; the rest is not waited for.
        """
        import requests

        started = time.monotonic()
        body = bytearray()
        with self._session.get(
            url, headers={"Accept": _AS_STORED}, stream=True, timeout=self._timeout_s
        ) as response:
            response.raise_for_status()
            for chunk in response.iter_content(_CHUNK_BYTES):
                body += chunk
                _check_size(len(body) - _WRAPPING_BYTES, max_bytes)
                if time.monotonic() - started > self._timeout_s + len(body) / _LEAST_RATE:
                    raise requests.Timeout
            instance = first_part(body, response.headers.get("Content-Type", ""))
        _check_size(len(instance), max_bytes)
        return instance

    def close(self) -> None:
        """Close its connections."""
        self._session.close()


def _checked(answers: Sequence[object]) -> list[Answer]:
    if not all(isinstance(each, dict) for each in answers):
        raise NoDicomError
    return list(answers)  # type: ignore[arg-type]  # looked at above


def _check_size(n_bytes: int, max_bytes: int) -> None:
    if n_bytes > max_bytes:
        raise ImageError(SkipReason.TOO_LARGE, f"over the limit of {max_bytes >> 20} MB (max_file_mb)")


def _adapter(access: PacsAccess) -> requests.adapters.HTTPAdapter:
    from requests import PreparedRequest, Response
    from requests.adapters import HTTPAdapter

    class Adapter(HTTPAdapter):
        """Checks certificates against the authority that was named, whatever REQUESTS_CA_BUNDLE says."""

        def send(self, request: PreparedRequest, **more: Any) -> Response:  # type: ignore[override]
            if access.ca_file is not None:
                more["verify"] = str(access.ca_file)
            return super().send(request, **more)

    return Adapter(pool_maxsize=access.concurrency)


def _credentials(access: PacsAccess) -> requests.auth.AuthBase:
    import requests

    class Credentials(requests.auth.AuthBase):
        """What the environment gave, or nothing: never what a .netrc says."""

        def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
            if access.token is not None:
                request.headers["Authorization"] = f"Bearer {access.token}"
            elif access.user is not None:
                pair = f"{access.user}:{access.password}".encode()
                request.headers["Authorization"] = f"Basic {b64encode(pair).decode('ascii')}"
            return request

    return Credentials()
