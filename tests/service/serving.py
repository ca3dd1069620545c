"""`cbir serve` in a process of its own, on a free port."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Self
from urllib.parse import urlsplit

import httpx


class Process:
    """Runs until the block ends."""

    def __init__(self, words: tuple[object, ...]) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CBIR_")}
        command = [sys.executable, "-m", "cli", "serve", "--port", "0", *map(str, words)]
        self.started = time.monotonic()
        self._popen = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=environment, text=True,
        )  # fmt: skip
        self.lines: list[str] = []
        self._is_there = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._is_there.wait(60), self.log()
        assert self.address, self.log()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def address(self) -> str:
        found = re.search(r"Serving .* on (http://\S+),", self.log())
        return found[1] if found else ""

    def log(self) -> str:
        return "".join(self.lines)

    def client(self, **options: object) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=30, trust_env=False, **options)

    def signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def wait(self) -> int:
        code = self._popen.wait(30)
        self._reader.join(10)
        return code

    @contextlib.contextmanager
    def half_sent(self, path: str) -> Iterator[HalfSent]:
        """A request whose body has begun."""
        with socket.create_connection((urlsplit(self.address).hostname, urlsplit(self.address).port)) as line:
            yield HalfSent(line, path)

    def _read(self) -> None:
        assert self._popen.stderr is not None
        for line in self._popen.stderr:
            self.lines.append(line)
            if "Serving " in line:
                self._is_there.set()
        self._is_there.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._popen.kill()
        self._popen.wait()
        self._reader.join(10)
        if self._popen.stderr is not None:
            self._popen.stderr.close()


class HalfSent:
    """A search by items, of which one byte is missing."""

    def __init__(self, line: socket.socket, path: str, body: bytes = b'{"item": "nobody"}') -> None:
        self._line, self._last = line, body[-1:]
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-1])

    def finish(self) -> int:
        """Send it, and give the status of the answer."""
        self._line.sendall(self._last)
        return self.status()

    def status(self) -> int:
        self._line.settimeout(30)
        return int(self._line.recv(4096).split()[1])
