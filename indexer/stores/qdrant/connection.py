"""Where a Qdrant server is, how to talk to it, how its collections are made: a value, nothing is opened."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from cbir.errors import SpecError

if TYPE_CHECKING:
    from indexer.manifest import StoreRef

URL, COLLECTION = "url", "collection"
"""Under which settings a manifest says where a store is served."""

Quantisation = Literal["auto", "none", "int8"]

_LOOPBACK_NAMES = frozenset({"localhost", "localhost.localdomain"})
_ID_FIELD = "{id}"


@dataclass(frozen=True, slots=True)
class CollectionOptions:
    """How a new collection is made.

    Args:
        shards: in how many parts it is split; None leaves that to the server.
        replicas: how many copies of each there are; 2 or more on a cluster.
        write_consistency: how many of them must have taken a write before it counts.
        on_disk: vectors are read from the disk; None for the server's memory up to 2 GiB of them.
        quantisation: of what is searched first; ``auto`` is int8 from 100,000 embeddings on. Scores are
            exact either way.
    """

    shards: int | None = None
    replicas: int = 1
    write_consistency: int = 1
    on_disk: bool | None = None
    quantisation: Quantisation = "auto"

    def __post_init__(self) -> None:
        """Refuse what no server would take.

        Raises:
            SpecError: a count below 1, or more writes to wait for than there are replicas.
        """
        for name in ("shards", "replicas", "write_consistency"):
            count = getattr(self, name)
            if count is not None and count < 1:
                raise SpecError(f"Qdrant {name} is {count}; use 1 or more.")
        if self.write_consistency > self.replicas:
            raise SpecError(
                f"Qdrant write_consistency is {self.write_consistency} with {self.replicas} replicas; "
                "no more writes can be waited for than there are replicas."
            )


@dataclass(frozen=True, slots=True)
class QdrantConnection:
    """A Qdrant server and the name that readers query there.

    Args:
        url: ``http://host:6333`` or ``https://…``, without user or password.
        api_key: sent with every request; over plain HTTP only to this machine, unless allowed.
        collection: the alias that is queried; None makes one of the index's own id.
        grpc_port: talk gRPC there (6334 as a rule), which carries vectors in half the bytes; None for REST.
        timeout_s: one request may take this long.
        patience_s: so long is a write tried again; a search never longer than 5 s.
        ca_file: PEM certificates that the server's is checked against; None for the system's.
        insecure_key: send the API key over plain HTTP to another machine all the same.
        thumbnail_url: becomes each point's ``thumbnail`` with ``{id}`` the item's: what Qdrant's web page
            shows as a picture where it ends in ``.jpg``.
        takes_over: a store made anew gets the name even where it stands for another index's collection,
            which is dropped.
        options: for new collections.
    """

    url: str
    api_key: str | None = field(default=None, repr=False)
    collection: str | None = None
    grpc_port: int | None = None
    timeout_s: int = 30
    patience_s: float = 60.0
    ca_file: Path | None = None
    insecure_key: bool = False
    thumbnail_url: str | None = None
    takes_over: bool = False
    options: CollectionOptions = CollectionOptions()

    def __post_init__(self) -> None:
        """Refuse what can't work, and what would give a secret away.

        Raises:
            SpecError: says what, and what to do.
        """
        _check_url(self.url)
        if self.timeout_s < 1:
            raise SpecError(f"Qdrant's timeout is {self.timeout_s} s; use 1 or more.")
        if self.thumbnail_url is not None and _ID_FIELD not in self.thumbnail_url:
            raise SpecError(
                f"The thumbnail URL {self.thumbnail_url!r} has no place for the item: put {{id}} in it."
            )
        if self.api_key and not self._is_safe_for_keys():
            raise SpecError(
                f"The API key would go to {self.url} unencrypted. Use https://, or allow it with "
                "--qdrant-insecure-key where nobody else can listen."
            )

    def _is_safe_for_keys(self) -> bool:
        parts = urlsplit(self.url)
        return self.insecure_key or parts.scheme == "https" or _is_loopback(parts.hostname or "")


def served_at(ref: StoreRef, given: QdrantConnection | None) -> QdrantConnection | None:
    """Where a store is served; None for one that is files. What was given wins over what the index says."""
    url, collection = ref.settings.get(URL), ref.settings.get(COLLECTION)
    if not isinstance(url, str) or not isinstance(collection, str):
        return None
    if given is None:
        return QdrantConnection(url, collection=collection)
    return replace(given, collection=given.collection or collection)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise SpecError(f"The Qdrant URL makes no sense: {error}. Write http://host:6333.") from None
    if parts.username or parts.password:
        raise SpecError(
            f"The Qdrant URL of {parts.hostname} carries a user or password, which the index would keep. "
            "Leave it out; a key goes into CBIR_QDRANT_API_KEY."
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SpecError(f"The Qdrant URL is {url!r}; write http://host:6333 or https://host:6333.")


def _is_loopback(host: str) -> bool:
    import ipaddress

    if host.lower() in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
