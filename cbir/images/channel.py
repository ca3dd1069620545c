"""Messages between the pool and a worker: a length, then bytes. Nothing is unpickled."""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from cbir.images.steps import JSON

_LENGTH = struct.Struct("!Q")
_FILE = b"f"
_MAX_JSON_BYTES = 64 * 1024 * 1024


class Channel:
    """One end of a socket pair.

    Every call raises ``EOFError`` when the other end is gone, and ``TimeoutError`` past the deadline, a value
    of ``time.monotonic()`` (None waits for ever). After a timeout the stream is of no more use.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, payload: Buffer, deadline: float | None = None) -> None:
        """Send one message."""
        view = memoryview(payload).cast("B")
        try:
            self._send_all(memoryview(_LENGTH.pack(len(view))), deadline)
            self._send_all(view, deadline)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise EOFError from error

    def receive(self, max_bytes: int, deadline: float | None = None) -> bytearray:
        """Receive one message.

        Raises:
            ValueError: the other end announces more than ``max_bytes``.
        """
        (n_bytes,) = _LENGTH.unpack(self._receive_all(_LENGTH.size, deadline))
        if n_bytes > max_bytes:
            raise ValueError(f"a message of {n_bytes} bytes, where at most {max_bytes} can be")
        return self._receive_all(n_bytes, deadline)

    def send_json(self, value: dict[str, JSON], deadline: float | None = None) -> None:
        """Send a dictionary."""
        self.send(json.dumps(value).encode(), deadline)

    def receive_json(self, deadline: float | None = None) -> dict[str, JSON]:
        """Receive a dictionary; anything else raises ``ValueError``."""
        value = json.loads(self.receive(_MAX_JSON_BYTES, deadline))
        if not isinstance(value, dict):
            raise ValueError("a message that is not a dictionary")  # noqa: TRY004 - bad content, not a bad call
        return value

    def send_descriptor(self, descriptor: int, deadline: float | None = None) -> None:
        """Give the other end an open file of its own."""
        self._set_timeout(deadline)
        try:
            socket.send_fds(self._end, [_FILE], [descriptor])
        except (BrokenPipeError, ConnectionResetError) as error:
            raise EOFError from error

    def receive_descriptor(self, deadline: float | None = None) -> int:
        """Receive an open file, which is then the caller's to close; anything else raises ``ValueError``."""
        self._set_timeout(deadline)
        sent, descriptors, _, _ = socket.recv_fds(self._end, len(_FILE), 1)
        if not sent:
            raise EOFError
        if not descriptors:
            raise ValueError("bytes where an open file was to come")
        return descriptors[0]

    def close(self) -> None:
        """Close this end; the other sees EOF."""
        self._end.close()

    def _send_all(self, view: memoryview, deadline: float | None) -> None:
        while view:
            self._set_timeout(deadline)
            view = view[self._end.send(view) :]

    def _receive_all(self, n_bytes: int, deadline: float | None) -> bytearray:
        received = bytearray(n_bytes)
        view = memoryview(received)
        while view:
            self._set_timeout(deadline)
            try:
                n_new = self._end.recv_into(view)
            except ConnectionResetError as error:
                raise EOFError from error
            if n_new == 0:
                raise EOFError
            view = view[n_new:]
        return received

    def _set_timeout(self, deadline: float | None) -> None:
        """What already lies in the socket is still taken just past the deadline (a laptop that slept)."""
        self._end.settimeout(None if deadline is None else max(deadline - time.monotonic(), 0.001))
