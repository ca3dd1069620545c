"""The pool's side of one worker: start it, talk to it, end it."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, cast

import numpy as np

from cbir.errors import CbirError, ImageError, SkipReason
from cbir.images.channel import Channel
from cbir.images.image import ImageInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cbir.images.steps import JSON
    from cbir.images.tiles import Box

_START_TIMEOUT_S = 60.0
_MAX_FILES = 1000
_MAX_RESIDENT_MB = 512
_MAX_THUMBNAIL_BYTES = 16 * 1024 * 1024
_BYTES_A_VALUE = 4
_MAIN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from importlib import import_module; "
    "import_module(sys.argv[2]).main(int(sys.argv[3]), int(sys.argv[4]))"
)
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """One frame of a file, or some tiles of a slide, ready for the networks.

    Args:
        frame: from 0, in the file.
        prepared: one (n_tiles, channels, height, width) array a plan.
        boxes: of the tiles, in pixels of the image as read (a slide's level 0); none where it was taken as a
            whole.
        thumbnail: a JPEG of 8 bits, without metadata.
        pixels_sha256: of dtype, shape and the pixels' xxh3-128 checksum, as read: equal for the same image
            in another wrapping. Of a slide: of its tiles, up to and with these.
        info: what the file says about the image.
        notes: what a policy or conversion did; of a slide, up to now.
    """

    frame: int
    prepared: tuple[NDArray[np.float32], ...]
    boxes: tuple[Box, ...]
    thumbnail: bytes
    pixels_sha256: str
    info: ImageInfo
    notes: tuple[str, ...]


class WorkerProcess:
    """A running worker; use one from one thread at a time."""

    def __init__(self, process: subprocess.Popen[bytes], channel: Channel) -> None:
        self._process = process
        self._channel = channel
        self._ready = False
        self._n_files = 0
        self._resident_mb = 0
        self.is_usable = True

    @classmethod
    def start(cls, module: str, task: dict[str, JSON]) -> Self:
        """Start a process and send it its task; does not wait until it is ready.

        It gets its own process group, so that Ctrl-C at the terminal reaches only the parent.
        """
        ours, theirs = socket.socketpair()
        arguments = [json.dumps(sys.path), module, str(theirs.fileno()), str(os.getpid())]
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-c", _MAIN, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=os.environ | _ONE_THREAD,
                pass_fds=[theirs.fileno()],
                process_group=0,
            )
        except OSError as error:
            ours.close()
            raise CbirError(f"Decoder workers can't start: {error.strerror} ({sys.executable}).") from error
        finally:
            theirs.close()
        worker = cls(process, Channel(ours))
        with contextlib.suppress(EOFError):  # wait_until_ready says what became of it
            worker._channel.send_json(task)
        return worker

    @property
    def is_worn(self) -> bool:
        """Whether it has served enough, or holds on to too much."""
        return not self.is_usable or self._n_files >= _MAX_FILES or self._resident_mb > _MAX_RESIDENT_MB

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.poll() is not None

    def wait_until_ready(self) -> None:
        """Wait until the process has imported what it needs.

        Raises:
            CbirError: it ended, or took more than a minute.
        """
        if self._ready:
            return
        try:
            self._channel.receive_json(time.monotonic() + _START_TIMEOUT_S)
        except (EOFError, TimeoutError, ValueError) as error:
            self.is_usable = False
            hint = f"Try: {sys.executable} -c 'import cbir.images.worker'"
            raise CbirError(f"Decoder workers can't start ({self._how_it_ended()}). {hint}") from error
        self._ready = True

    def decode(self, data: bytes, timeout_s: float, region: Box | None = None) -> list[DecodedFrame]:
        """Send a file, receive its frames, or a region of each.

        Raises:
            ImageError: from the reader; or the worker crashed or ran out of time, and is not usable any more.
        """
        self._n_files += 1
        with self._blamed(timeout_s):
            deadline = time.monotonic() + timeout_s
            asked: dict[str, JSON] = {"slide": False, "region": None if region is None else list(region)}
            self._channel.send_json(asked, deadline)
            self._channel.send(data, deadline)
            frames = []
            while frame := self._receive_next(deadline):
                frames.append(frame)
            if not frames:
                raise ValueError("neither a frame nor a reason")
            return frames

    def decode_slide(self, descriptor: int, timeout_s: float) -> Iterator[DecodedFrame]:
        """Give it an open slide, receive its tiles, some at a time; each time may take ``timeout_s``.

        Raises:
            ImageError: as ``decode``, at any time.
        """
        self._n_files += 1
        with self._blamed(timeout_s):
            deadline = time.monotonic() + timeout_s
            self._channel.send_json({"slide": True}, deadline)
            self._channel.send_descriptor(descriptor, deadline)
            n_received = 0
            while tiles := self._receive_next(deadline):
                n_received += 1
                yield tiles
                deadline = time.monotonic() + timeout_s
            if not n_received:
                raise ValueError("neither a tile nor a reason")

    def kill(self) -> None:
        """End the process now and reap it; any thread may, whoever waits for an answer gets EOF."""
        self._process.kill()
        self._process.wait()

    def forget(self) -> None:
        """Close the channel, when nobody uses it any more."""
        self._channel.close()

    @contextlib.contextmanager
    def _blamed(self, timeout_s: float) -> Iterator[None]:
        """Say what it means that the worker does not answer, or answers nonsense."""
        try:
            yield
        except TimeoutError:
            self.is_usable = False
            detail = f"not decoded within timeout_s = {timeout_s:g}"
            raise ImageError(SkipReason.DECODER_TIMEOUT, detail) from None
        except EOFError:
            self.is_usable = False
            raise ImageError(SkipReason.DECODER_CRASHED, self._how_it_ended()) from None
        except (KeyError, TypeError, ValueError):
            self.is_usable = False
            raise ImageError(SkipReason.DECODER_CRASHED, "the worker answered nonsense") from None

    def _receive_next(self, deadline: float) -> DecodedFrame | None:
        """The next frame; None when that was the last."""
        header = self._channel.receive_json(deadline)
        if not header["done"]:
            return self._receive_frame(header, deadline)
        self._resident_mb = int(cast("int", header["resident_mb"]))
        self.is_usable = not header["tainted"]
        if "reason" in header:
            raise ImageError(SkipReason(str(header["reason"])), str(header["detail"]))
        return None

    def _receive_frame(self, header: dict[str, JSON], deadline: float) -> DecodedFrame:
        shapes = cast("list[list[int]]", header["shapes"])
        prepared = tuple(self._receive_array(shape, deadline) for shape in shapes)
        return DecodedFrame(
            frame=cast("int", header["frame"]),
            prepared=prepared,
            boxes=tuple((x, y, w, h) for x, y, w, h in cast("list[list[int]]", header["boxes"])),
            thumbnail=bytes(self._channel.receive(_MAX_THUMBNAIL_BYTES, deadline)),
            pixels_sha256=cast("str", header["pixels_sha256"]),
            info=ImageInfo(**cast("dict[str, JSON]", header["info"])),  # type: ignore[arg-type]
            notes=tuple(cast("list[str]", header["notes"])),
        )

    def _receive_array(self, shape: list[int], deadline: float) -> NDArray[np.float32]:
        values = self._channel.receive(math.prod(shape) * _BYTES_A_VALUE, deadline)
        return np.frombuffer(values, dtype=np.float32).reshape(shape)

    def _how_it_ended(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1.0)
        code = self._process.returncode
        if code is None:
            return "it does not answer"
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit status {code}"
