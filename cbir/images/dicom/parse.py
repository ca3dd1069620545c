"""Bytes to a data set: with or without a meta header, deflated or not, and never a word on stderr."""

from __future__ import annotations

import logging
import warnings
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from cbir.errors import ImageError, SkipReason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

    from cbir.images.reading import Reading

_PREFIX_END = 132
_META_GROUP = 2
_TRANSFER_SYNTAX = 0x00020010
_DEFLATED = frozenset({"1.2.840.10008.1.2.1.99"})
_HEADER_ALLOWANCE = 64 * 2**20
_TELLING = ("SOPClassUID", "Modality", "StudyInstanceUID", "Rows")
_ELEMENT_HEADER_BYTES = 8
_UNDEFINED_LENGTH = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Parsed:
    """A data set and how its pixels are encoded.

    Args:
        dataset: without the meta header.
        transfer_syntax: UID as declared; of a file without one, what its bytes look like.
        big_endian: order of native pixels.
        cut_short: the file ends inside an element.
    """

    dataset: Dataset
    transfer_syntax: str
    big_endian: bool
    cut_short: bool


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Take what pydicom would say, which quotes the file, off warnings and logs; read without validation."""
    from pydicom import config

    logger = logging.getLogger("pydicom")
    was_disabled = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings(), config.disable_value_validation():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = was_disabled


def parse(data: bytes, reading: Reading) -> Parsed:
    """Read every element; values stay raw until they are asked for.

    Raises:
        ImageError: no DICOM after all, damaged, or inflating past the size limit.
    """
    from pydicom import dcmread
    from pydicom.filereader import read_dataset

    declared = _declared_transfer_syntax(data)
    try:
        if declared in _DEFLATED:
            dataset = read_dataset(BytesIO(_inflate(data, reading)), False, True)
            return Parsed(dataset, declared, big_endian=False, cut_short=False)
        whole = dcmread(BytesIO(data), force=True)
    except EOFError:
        raise ImageError(SkipReason.TRUNCATED, "the data set ends inside an element") from None
    if data[128:_PREFIX_END] != b"DICM" and not any(keyword in whole for keyword in _TELLING):
        raise ImageError(SkipReason.NOT_AN_IMAGE, "the content is no DICOM")
    implicit, little = whole.original_encoding
    syntax = declared or {(True, True): "1.2.840.10008.1.2", (False, False): "1.2.840.10008.1.2.2"}.get(
        (bool(implicit), bool(little)), "1.2.840.10008.1.2.1"
    )
    return Parsed(whole, syntax, big_endian=not little, cut_short=_is_cut_short(whole, len(data)))


def _meta(data: bytes) -> tuple[str, int]:
    from pydicom.filereader import read_dataset

    if data[128:_PREFIX_END] != b"DICM":
        return "", 0
    file = BytesIO(data)
    file.seek(_PREFIX_END)
    meta = read_dataset(file, False, True, stop_when=lambda tag, _vr, _length: tag.group != _META_GROUP)
    element = meta.get_item(_TRANSFER_SYNTAX)
    value = element.value if element is not None else b""
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value or "")
    return text.strip(" \0"), file.tell()


def _declared_transfer_syntax(data: bytes) -> str:
    return _meta(data)[0]


def _inflate(data: bytes, reading: Reading) -> bytes:
    limit = reading.limits.max_pixel_bytes + _HEADER_ALLOWANCE
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(data[_meta(data)[1] :], limit)
    except zlib.error:
        raise ImageError(SkipReason.MALFORMED, "the deflated data set can't be inflated") from None
    if inflater.unconsumed_tail:
        reading.check_size(limit, "deflated data set")
    if not inflater.eof:
        raise ImageError(SkipReason.TRUNCATED, "the deflated data set ends early")
    return inflated


def _is_cut_short(dataset: Dataset, size: int) -> bool:
    from pydicom.dataelem import RawDataElement

    if not len(dataset):  # pydicom drops all of a data set that ends inside a sequence
        return True
    raw: list[RawDataElement] = []
    for tag in dataset.keys():  # noqa: SIM118 - iterating over the elements would convert their values
        element: object = dataset.get_item(tag)
        if isinstance(element, RawDataElement):
            raw.append(element)
    last = max(raw, key=lambda each: each.value_tell, default=None)
    if last is None or last.length == _UNDEFINED_LENGTH:
        return False
    end = last.value_tell + last.length
    return end > size or 0 < size - end < _ELEMENT_HEADER_BYTES
