"""What a PACS has: studies, their series, their instances, page by page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b

from cbir.items.dicomweb.address import UID, PacsAddress
from cbir.items.dicomweb.client import Answer

PAGE = 200
"""Asked for at once; a server may give fewer."""

Page = Callable[[int, int], list[Answer]]
"""Limit and offset to answers."""

STUDY, SERIES, INSTANCE = "0020000D", "0020000E", "00080018"
_MODALITY, _BODY_PART = "00080060", "00180015"
_N_SERIES, _N_INSTANCES = "00201206", "00201209"
_ROWS, _COLUMNS, _BITS, _FRAMES, _SAMPLES = "00280010", "00280011", "00280100", "00280008", "00280002"
_SAYS_WHICH = (INSTANCE, "00080016", "00200013", "00083002", _ROWS, _COLUMNS, _BITS, _FRAMES, _SAMPLES)
"""Of an instance: what it is, and its number, syntax and shape. Nothing that a patient brings along."""
_BITS_A_BYTE = 8

STUDY_FILTERS = {
    "StudyInstanceUID": "StudyInstanceUID",
    "StudyDate": "StudyDate",
    "Modality": "ModalitiesInStudy",
}
SERIES_FILTERS = {each: each for each in ("SeriesInstanceUID", "Modality", "BodyPartExamined")}
INSTANCE_FILTERS = {"SOPInstanceUID": "SOPInstanceUID"}
"""A source's filters, and under which name a level of the hierarchy knows them."""


def asked(address: PacsAddress, names: Mapping[str, str]) -> dict[str, str]:
    """The filters of an address, as one level of the hierarchy knows them."""
    return {names[keyword]: value for keyword, value in address.filters if keyword in names}


def pages(page: Page, key: str, n_told: int | None = None) -> Iterator[Answer]:
    """Ask for pages until there is nothing new, or as many were given as were told.

    A server that knows no offset gives the same page again: that ends it, too.

    Args:
        page: asks.
        key: the tag of the UID that tells answers apart; one without it is given each time.
        n_told: how many there are, where the server says so.
    """
    seen: set[str] = set()
    offset = 0
    while True:
        answers = page(PAGE, offset)
        new = [each for each in answers if text(each, key) is None or text(each, key) not in seen]
        if not any(text(each, key) for each in new):
            yield from new
            return
        yield from new
        seen.update(uid for each in new if (uid := text(each, key)))
        offset += len(answers)
        if n_told is not None and len(seen) >= n_told:
            return


def n_series(study: Answer) -> int | None:
    """How many series a study has, where the server says so."""
    return _number(study, _N_SERIES)


def n_instances(series: Answer) -> int | None:
    """How many instances a series has, where the server says so."""
    return _number(series, _N_INSTANCES)


def contradicts(series: Answer, address: PacsAddress) -> bool:
    """Whether a series is not what was asked for: servers pass over filters that they don't know."""
    wanted = dict(address.filters)
    said = {"Modality": text(series, _MODALITY), "BodyPartExamined": text(series, _BODY_PART)}
    return any(said[each] not in (None, wanted[each]) for each in said.keys() & wanted.keys())


def uid(answer: Answer, tag: str) -> str | None:
    """A UID that can stand in a URL, or None."""
    found = text(answer, tag)
    return found if found is not None and UID.fullmatch(found) else None


def version(instance: Answer) -> int:
    """A mark of what a server says of an instance, 0 < mark < 2**63."""
    said = json.dumps([_values(instance, tag) for tag in _SAYS_WHICH], sort_keys=True)
    return (int.from_bytes(blake2b(said.encode(), digest_size=8).digest()) >> 1) | 1


def n_bytes(instance: Answer) -> int:
    """About how many bytes an instance has, by its shape; too many where it is compressed."""
    shape = [_number(instance, tag) for tag in (_ROWS, _COLUMNS, _BITS, _FRAMES, _SAMPLES)]
    rows, columns, bits, frames, samples = (each or 1 for each in shape)
    return rows * columns * bits * frames * samples // _BITS_A_BYTE


def text(answer: Answer, tag: str) -> str | None:
    """The first value of a tag, as text; None where there is none."""
    value = _first(answer, tag)
    return str(value).strip() or None if isinstance(value, str | int | float) else None


def _number(answer: Answer, tag: str) -> int | None:
    found = text(answer, tag)
    return int(found) if found is not None and found.isascii() and found.isdigit() else None


def _first(answer: Answer, tag: str) -> object:
    values = _values(answer, tag)
    return values[0] if isinstance(values, list) and values else None


def _values(answer: Answer, tag: str) -> object:
    element = answer.get(tag)
    return element.get("Value") if isinstance(element, Mapping) else None
