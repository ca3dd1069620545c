"""The client of Qdrant's own library, imported when a server is used (1.4 s)."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from cbir.errors import SpecError

if TYPE_CHECKING:
    import ssl

    from qdrant_client import QdrantClient

    from indexer.stores.qdrant.connection import QdrantConnection

_GRPC_PORT = 6334


def open_client(connection: QdrantConnection) -> QdrantClient:
    """A client as the connection says; the server is not asked anything yet.

    Raises:
        SpecError: the file of certificates can't be read.
    """
    from qdrant_client import QdrantClient

    verify, channel = _trusted(connection)
    with warnings.catch_warnings():
        # The connection has been asked whether a key may travel like that.
        warnings.filterwarnings("ignore", "Api key is used with an insecure connection")
        return QdrantClient(
            url=connection.url,
            port=None,
            api_key=connection.api_key,
            timeout=connection.timeout_s,
            prefer_grpc=connection.grpc_port is not None,
            grpc_port=connection.grpc_port or _GRPC_PORT,
            grpc_options=channel,
            check_compatibility=False,
            verify=verify,
        )


def _trusted(connection: QdrantConnection) -> tuple[ssl.SSLContext | bool, dict[str, bytes]]:
    """Whose certificates count, for REST and for gRPC."""
    import ssl

    if connection.ca_file is None:
        return True, {}
    try:
        content = connection.ca_file.read_bytes()
        return ssl.create_default_context(cadata=content.decode("ascii")), {"root_certificates": content}
    except (OSError, ValueError) as error:
        raise SpecError(
            f"qdrant_ca_file {connection.ca_file} can't be used: {error}. Name a file of PEM certificates."
        ) from error
