"""What a service is told when it starts; the command line reads flags and the environment, not this."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cbir.errors import SpecError
from cbir.images.settings import DecodeLimits
from cbir.printable import printable

if TYPE_CHECKING:
    from indexer.stores.qdrant.connection import QdrantConnection

NOTICE = "Research use only, not for diagnosis."

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """Which indexes are served, to whom, and what a request may cost.

    Args:
        indexes: the directory of each, by the name that stands in its address.
        host: to listen on; any but a loopback address needs ``keys``.
        port: likewise; 0 takes a free one.
        keys: the file of those who may ask; None lets everybody on this machine ask.
        tenant: whose items are shown to who asks without a key, where an index keeps tenants.
        body_mb: MiB that the body of a request may have, counted as it comes.
        workers: requests that are worked on at once, and decoding processes; None for one a core.
        queue: requests that may wait beside those; more are answered with 429.
        wait_s: seconds a request may wait for a worker before it is answered with 503.
        body_s: seconds a body may take to come.
        drain_s: seconds the requests under way have to end, once the service is told to stop.
        show_groups: answer with the groups (patients) as the index has them; else each has a pseudonym that
            lasts as long as the process.
        audit: the file that a line a search is appended to; None writes them to the log.
        limits: what decoding one upload may cost.
        patient_key: keys the hashes of patients that uploads name; without it they have no group.
        servers: of the stores that are on a Qdrant server, by the name of the index.

    Raises:
        SpecError: what makes no sense, or would let strangers in.
    """

    indexes: Mapping[str, Path]
    host: str = "127.0.0.1"
    port: int = 8000
    keys: Path | None = None
    tenant: str | None = None
    body_mb: int = 256
    workers: int | None = None
    queue: int = 64
    wait_s: float = 10.0
    body_s: float = 60.0
    drain_s: float = 30.0
    show_groups: bool = False
    audit: Path | None = None
    limits: DecodeLimits = field(default_factory=DecodeLimits)
    patient_key: bytes | None = field(default=None, repr=False)
    servers: Mapping[str, QdrantConnection] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.indexes:
            raise SpecError("There is no index to serve: name one, -i lesions.index.")
        for name in self.indexes:
            if not _NAME.fullmatch(name):
                raise SpecError(
                    f"{printable(name)!r} can't name an index in an address; use up to 64 letters, digits, "
                    "dots, - and _: -i NAME=PATH."
                )
        for name in ("body_mb", "wait_s", "body_s", "drain_s"):
            if not getattr(self, name) > 0:
                raise SpecError(f"{name} is {getattr(self, name):g}; use a number above 0.")
        if self.queue < 0 or (self.workers is not None and self.workers < 1):
            raise SpecError(f"queue is {self.queue}, workers {self.workers}; use 0 and 1, or more.")
        if self.keys is None and not is_loopback(self.host):
            raise SpecError(
                f"{self.host} can be reached from other machines, and anybody could ask: give --keys FILE "
                "(cbir serve key new), or listen on 127.0.0.1."
            )

    @property
    def body_bytes(self) -> int:
        """``body_mb`` in bytes."""
        return self.body_mb * _MIB

    @property
    def n_workers(self) -> int:
        """How many requests are worked on at once."""
        return self.workers or os.cpu_count() or 1


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
