"""How a PACS is talked to, and as whom: a value, nothing is opened."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cbir.errors import SpecError

_LOOPBACK_NAMES = frozenset({"localhost", "localhost.localdomain"})


@dataclass(frozen=True, slots=True)
class PacsAccess:
    """What every PACS of a run is talked to with.

    Args:
        user: with ``password``, for HTTP's basic authentication.
        password: of the user.
        token: sent as a bearer token, in the place of user and password.
        concurrency: requests under way at once, at most.
        timeout_s: a server may keep silent for so long.
        patience_s: so long is a request tried again that may succeed.
        ca_file: PEM certificates that the server's is checked against; None for the usual ones.
        insecure: send the credentials over plain HTTP to another machine all the same.
    """

    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    concurrency: int = 4
    timeout_s: float = 30.0
    patience_s: float = 20.0
    ca_file: Path | None = None
    insecure: bool = False

    def __post_init__(self) -> None:
        """Refuse what can't work.

        Raises:
            SpecError: says what, and what to do.
        """
        if (self.user is None) != (self.password is None):
            there, missing = ("USER", "PASSWORD") if self.password is None else ("PASSWORD", "USER")
            raise SpecError(f"CBIR_DICOMWEB_{there} is set without CBIR_DICOMWEB_{missing}. Set both.")
        if self.token is not None and self.user is not None:
            raise SpecError("CBIR_DICOMWEB_TOKEN and CBIR_DICOMWEB_USER are both set. Unset one of them.")
        if self.concurrency < 1:
            raise SpecError(f"dicomweb_concurrency is {self.concurrency}; use 1 or more.")
        if self.ca_file is not None and not self.ca_file.is_file():
            raise SpecError(f"dicomweb_ca_file is {self.ca_file}, which is no file. Name one.")
        if not self.timeout_s > 0:
            raise SpecError(f"dicomweb_timeout_s is {self.timeout_s}; use more than 0.")

    def check_for(self, base: str) -> None:
        """Refuse to send credentials where others may listen.

        Args:
            base: the URL of a service.

        Raises:
            SpecError: they would go over plain HTTP to another machine.
        """
        parts = urlsplit(base)
        has_credentials = self.user is not None or self.token is not None
        if (
            not has_credentials
            or parts.scheme == "https"
            or self.insecure
            or _is_loopback(parts.hostname or "")
        ):
            return
        raise SpecError(
            f"The credentials would go to {base} unencrypted. Use https://, or set CBIR_DICOMWEB_INSECURE=1 "
            "where nobody else can listen."
        )


def _is_loopback(host: str) -> bool:
    if host.lower() in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
