"""Bytes to images, whatever the format: the door of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.errors import ImageError, SkipReason
from cbir.images.reading import Reading
from cbir.images.settings import DecodeLimits, ReadPolicy, ReadSpec
from cbir.images.sniff import sniff

if TYPE_CHECKING:
    from collections.abc import Callable

    from cbir.images.image import Image, ImageFormat


def read_images(
    data: bytes,
    spec: ReadSpec | None = None,
    policy: ReadPolicy | None = None,
    limits: DecodeLimits | None = None,
    *,
    hash_key: bytes | None = None,
) -> list[Image]:
    """Decode a file that is judged by its content alone.

    Decoders of untrusted bytes can crash or hang: programs go through a DecodePool, which calls this in a
    process that may die. The time and memory limits are the pool's to keep; this function keeps the sizes.

    Args:
        data: the whole file.
        spec: how it becomes pixels; None is ReadSpec().
        policy: whether it is admitted; None is ReadPolicy().
        limits: what it may cost; None is DecodeLimits().
        hash_key: up to 64 bytes; with it, ImageInfo carries keyed hashes of the DICOM identifiers.

    Returns:
        At least one image; more than one only where ``spec.frames`` is ``all``.

    Raises:
        ImageError: and nothing else, whatever a decoder does; its detail never repeats text of the file.
        ValueError: hash_key is empty or too long.
    """
    reading = Reading(spec or ReadSpec(), policy or ReadPolicy(), limits or DecodeLimits(), hash_key)
    try:
        return _read(data, reading)
    except ImageError as error:
        reason, detail = error.reason, error.detail
    except MemoryError:
        reason, detail = SkipReason.TOO_LARGE, "out of memory while decoding; raise --memory-mb to read it"
    except RecursionError:
        reason, detail = SkipReason.MALFORMED, "nested too deeply"
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 - decoders written in Rust panic past Exception
        reason, detail = SkipReason.MALFORMED, f"the decoder failed with {type(error).__name__}"
    # Raised out here so that no text of the file hangs on as the context of the error.
    raise ImageError(reason, detail)


def _read(data: bytes, reading: Reading) -> list[Image]:
    if not data:
        raise ImageError(SkipReason.NOT_AN_IMAGE, "the file is empty")
    if len(data) > reading.limits.max_file_bytes:
        sizes = f"{len(data) / 2**20:.0f} MiB, the limit is {reading.limits.max_file_mb}"
        raise ImageError(SkipReason.TOO_LARGE, f"{sizes}; raise --max-file-mb to read it")
    found = sniff(data)
    if found is None:
        raise ImageError(SkipReason.NOT_AN_IMAGE, "the content is no image format that cbir reads")
    return FORMATS[found](data, reading)


def _dicom(data: bytes, reading: Reading) -> list[Image]:
    from cbir.images.dicom.reader import read_dicom

    return read_dicom(data, reading)


def _png(data: bytes, reading: Reading) -> list[Image]:
    from cbir.images.raster.png import read_png

    return read_png(data, reading)


def _jpeg(data: bytes, reading: Reading) -> list[Image]:
    from cbir.images.raster.jpeg import read_jpeg

    return read_jpeg(data, reading)


def _tiff(data: bytes, reading: Reading) -> list[Image]:
    from cbir.images.raster.tiff import read_tiff

    return read_tiff(data, reading)


def _webp(data: bytes, reading: Reading) -> list[Image]:
    from cbir.images.raster.animated import read_animated

    return read_animated(data, reading, "webp")


def _bmp(data: bytes, reading: Reading) -> list[Image]:
    from cbir.images.raster.animated import read_animated

    return read_animated(data, reading, "bmp")


def _gif(data: bytes, reading: Reading) -> list[Image]:
    from cbir.images.raster.animated import read_animated

    return read_animated(data, reading, "gif")


def _pnm(data: bytes, reading: Reading) -> list[Image]:
    from cbir.images.raster.pnm import read_pnm

    return read_pnm(data, reading)


FORMATS: dict[ImageFormat, Callable[[bytes, Reading], list[Image]]] = {
    "dicom": _dicom,
    "png": _png,
    "jpeg": _jpeg,
    "tiff": _tiff,
    "webp": _webp,
    "bmp": _bmp,
    "gif": _gif,
    "pnm": _pnm,
}
"""A reader a format, imported when its first file comes."""
