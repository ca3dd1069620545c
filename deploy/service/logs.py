"""JSON lines of what the service does: never a file name, never a patient, never what was asked for."""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

Value = str | int | float | bool | None | list[str]


class JsonLines:
    """Writes one line an event; threads may share it.

    Args:
        path: of a file that lines are appended to, made for the user alone; None for stderr.

    Raises:
        OSError: the file can't be opened.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._own: TextIO | None = None
        if path is not None:
            path.touch(mode=0o600, exist_ok=True)
            self._own = path.open("a", encoding="ascii")

    def write(self, event: str, **values: Value) -> None:
        """Write a line: the time in UTC, what happened, and some values."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "event": event, **values})
        with self._lock:
            stream = self._own or sys.stderr
            stream.write(line + "\n")
            stream.flush()

    def close(self) -> None:
        """Close a file."""
        if self._own is not None:
            self._own.close()


def log_the_server(lines: JsonLines) -> None:
    """Send what the HTTP server says to the log, without tracebacks: they quote what was asked for."""
    logger = logging.getLogger("uvicorn.error")
    logger.handlers = [_Handler(lines)]
    logger.propagate = False
    logger.setLevel(logging.INFO)


class _Handler(logging.Handler):
    def __init__(self, lines: JsonLines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        said = {} if kind is None else {"error": kind}
        self._lines.write("server", level=record.levelname.lower(), message=record.getMessage(), **said)
