"""The process in which untrusted bytes are decoded. It opens no files, and the pool may kill it at any time.

Of a whole slide it gets the open file, and the libraries read that through ``/dev/fd``.

Limits: no core file; the kernel kills it with its parent (Linux); its address space may grow, for each file,
by ``memory_mb`` above what it has when the file has arrived. The libraries of a format are imported with its
first file, and count in that file's budget.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import hashlib
import os
import resource
import socket
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import xxhash

from cbir.child import live_and_die_with
from cbir.errors import ImageError, SkipReason
from cbir.images.channel import Channel
from cbir.images.mask_box import MaskBox
from cbir.images.placement import Placement
from cbir.images.prepare import prepare_all
from cbir.images.reader import read_images
from cbir.images.region import cut_region
from cbir.images.settings import DecodeLimits, ReadPolicy, ReadSpec
from cbir.images.slides.spec import SlideSpec
from cbir.images.steps import Raster, step_from_dict
from cbir.images.thumbnail import thumbnail
from cbir.images.tiles import TileGrid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from cbir.images.image import Image, Pixels
    from cbir.images.steps import JSON, Step
    from cbir.images.tiles import Box

_MIB = 1024 * 1024
_NO_LIMIT = sys.maxsize
_MUCH_MEMORY_BYTES = 256 * _MIB


@dataclasses.dataclass(frozen=True, slots=True)
class Task:
    """What a worker does with every file; travels to it as JSON."""

    read: ReadSpec
    policy: ReadPolicy
    limits: DecodeLimits
    plans: tuple[tuple[Step, ...], ...]
    tiles: TileGrid | None
    slides: SlideSpec | None
    hash_key: bytes | None
    thumbnail_side_px: int

    @classmethod
    def from_dict(cls, values: Mapping[str, JSON]) -> Task:
        """Read what the pool wrote."""
        plans = cast("list[list[dict[str, JSON]]]", values["plans"])
        tiles = cast("dict[str, JSON] | None", values["tiles"])
        slides = cast("dict[str, JSON] | None", values["slides"])
        key = cast("str | None", values["hash_key"])
        return cls(
            read=ReadSpec.from_dict(cast("dict[str, JSON]", values["read"])),
            policy=ReadPolicy(**cast("dict[str, JSON]", values["policy"])),  # type: ignore[arg-type]
            limits=DecodeLimits(**cast("dict[str, JSON]", values["limits"])),  # type: ignore[arg-type]
            plans=tuple(tuple(_step(step) for step in steps) for steps in plans),
            tiles=None if tiles is None else TileGrid.from_dict(tiles),
            slides=None if slides is None else SlideSpec.from_dict(slides),
            hash_key=None if key is None else bytes.fromhex(key),
            thumbnail_side_px=cast("int", values["thumbnail_side_px"]),
        )


def _step(settings: Mapping[str, JSON]) -> Step:
    """A step of a spec, or one of those that only a pool's owner can ask for."""
    if settings == {"step": MaskBox.name}:
        return MaskBox()
    if settings["step"] == Placement.name:
        return Placement(cast("str", settings["steps"]))
    return step_from_dict(settings)


def main(socket_fd: int, parent_pid: int) -> None:
    """Serve files until the pool closes the channel."""
    live_and_die_with(parent_pid)
    channel = Channel(socket.socket(fileno=socket_fd))
    with contextlib.suppress(EOFError):
        task = Task.from_dict(channel.receive_json())
        _load_opencv()
        channel.send_json({"ready": True})
        while True:
            _serve_one(channel, task)


def _load_opencv() -> None:
    import cv2

    cv2.setNumThreads(1)


def _serve_one(channel: Channel, task: Task) -> None:
    asked = channel.receive_json()
    if asked["slide"]:
        descriptor = channel.receive_descriptor()
        error, tainted = _tried(task, partial(_send_tiles, channel, descriptor, task))
        os.close(descriptor)
    else:
        data = bytes(channel.receive(task.limits.max_file_bytes))
        error, tainted = _tried(task, partial(_send_frames, channel, data, task, _region(asked)))
        del data
    if _resident_bytes() > _MUCH_MEMORY_BYTES:
        gc.collect()  # cycles; 15 ms with pydicom loaded, so not after every file
    channel.send_json(_last_message(error, tainted=tainted))


def _region(asked: Mapping[str, JSON]) -> Box | None:
    region = cast("list[int] | None", asked["region"])
    return None if region is None else (region[0], region[1], region[2], region[3])


def _tried(task: Task, send_all: Callable[[], None]) -> tuple[ImageError | None, bool]:
    """Why it did not end well, and whether the worker can't be trusted any more."""
    tainted = False
    error: ImageError | None = None
    try:
        _limit_memory(_address_space_bytes() + task.limits.memory_mb * _MIB)
        send_all()
    except EOFError:
        raise
    except ImageError as caught:
        error = caught
    except MemoryError:
        tainted = True
        limit = f"decoding takes more than memory_mb = {task.limits.memory_mb}; raise it to read this file"
        error = ImageError(SkipReason.TOO_LARGE, limit)
    except BaseException as caught:  # noqa: BLE001 - decoders raise PanicException and worse
        tainted = True
        error = ImageError(SkipReason.MALFORMED, f"the decoder raised {type(caught).__name__}")
    _limit_memory(_NO_LIMIT)
    return error, tainted


def _last_message(error: ImageError | None, *, tainted: bool) -> dict[str, JSON]:
    last: dict[str, JSON] = {"done": True, "tainted": tainted, "resident_mb": _resident_bytes() // _MIB}
    return last if error is None else last | {"reason": str(error.reason), "detail": error.detail}


def _send_frames(channel: Channel, data: bytes, task: Task, region: Box | None) -> None:
    for whole in read_images(data, task.read, task.policy, task.limits, hash_key=task.hash_key):
        image = whole if region is None else cut_region(whole, region)
        boxes = task.tiles.boxes(Raster(image.pixels, image.white)) if task.tiles else []
        prepared = prepare_all(image, task.plans, boxes)
        jpeg = thumbnail(image, task.thumbnail_side_px)
        digest = _pixels_sha256(image.pixels)
        _send_frame(channel, image, pixels_sha256=digest, prepared=prepared, boxes=boxes, jpeg=jpeg)


def _send_tiles(channel: Channel, descriptor: int, task: Task) -> None:
    from cbir.images.slides.chunks import prepared_tiles
    from cbir.images.slides.reader import SlideReader
    from cbir.images.slides.slide import Slide

    if task.slides is None:
        raise ImageError(SkipReason.UNSUPPORTED, "a whole slide; the extractor says nothing of slides")
    with Slide(descriptor) as slide:
        reader = SlideReader(slide, task.slides, task.limits)
        jpeg = thumbnail(reader.overview, task.thumbnail_side_px)
        for tiles in prepared_tiles(reader, task.plans):
            digest = hashlib.sha256(f"slide {tiles.pixels_xxh3}".encode()).hexdigest()
            told = dataclasses.replace(reader.overview, notes=reader.notes)
            _send_frame(
                channel, told, pixels_sha256=digest, prepared=tiles.prepared, boxes=tiles.boxes, jpeg=jpeg
            )


def _send_frame(
    channel: Channel,
    image: Image,
    *,
    pixels_sha256: str,
    prepared: Sequence[NDArray[np.float32]],
    boxes: Sequence[Box],
    jpeg: bytes,
) -> None:
    header: dict[str, JSON] = {
        "done": False,
        "frame": image.frame,
        "pixels_sha256": pixels_sha256,
        "info": dataclasses.asdict(image.info),
        "notes": list(image.notes),
        "shapes": [list(array.shape) for array in prepared],
        "boxes": [list(box) for box in boxes],
    }
    channel.send_json(header)
    for array in prepared:
        channel.send(array.data)
    channel.send(jpeg)


def _pixels_sha256(pixels: Pixels) -> str:
    """Hash over a fast checksum: plain sha256 takes longer than decoding a mammogram does."""
    checksum = xxhash.xxh3_128_hexdigest(np.ascontiguousarray(pixels).data)
    return hashlib.sha256(f"{pixels.dtype.str} {pixels.shape} {checksum}".encode()).hexdigest()


def _limit_memory(n_bytes: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    ceiling = hard if hard != resource.RLIM_INFINITY else _NO_LIMIT
    resource.setrlimit(resource.RLIMIT_AS, (min(n_bytes, ceiling), hard))


def _address_space_bytes() -> int:
    return _statm()[0]


def _resident_bytes() -> int:
    return _statm()[1]


def _statm() -> tuple[int, int]:
    """Read the address space and the resident memory, in bytes; zeros where /proc is missing."""
    try:
        size, resident, *_ = Path("/proc/self/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0, 0
    page = resource.getpagesize()
    return int(size) * page, int(resident) * page
