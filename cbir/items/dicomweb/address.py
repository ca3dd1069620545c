"""A PACS as a source of images: where it speaks DICOMweb, and which of its instances are meant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from cbir.errors import ItemsError
from cbir.nearest import nearest

PREFIX = "dicomweb+"
"""How such a source begins; what follows is the URL."""

UID = re.compile(r"[0-9.]{1,64}")

_FORMS = {
    "StudyInstanceUID": (UID, "a UID"),
    "SeriesInstanceUID": (UID, "a UID"),
    "SOPInstanceUID": (UID, "a UID"),
    "Modality": (re.compile(r"[A-Z0-9_]{2,16}"), "a modality, for example MG"),
    "StudyDate": (
        re.compile(r"\d{8}|\d{8}-(\d{8})?|-\d{8}"),
        "a date or a range, for example 20200101-20201231",
    ),
    "BodyPartExamined": (re.compile(r"[A-Z0-9_ ]{1,16}"), "a body part, for example BREAST"),
}
"""What may be asked for. No patient's name or id: the index remembers its sources."""

_EXAMPLE = "dicomweb+http://host:8042/dicom-web?Modality=MG"


@dataclass(frozen=True, slots=True)
class PacsAddress:
    """One source; ``str(address)`` gives it back to ``PacsAddress.parse``.

    Args:
        base: the URL of the DICOMweb service, without a slash at its end.
        filters: DICOM keywords and what they must be, in an order of their own.
    """

    base: str
    filters: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what a user typed.

        Raises:
            ItemsError: no such URL, an unknown filter, or a password in it.
        """
        try:
            parts = urlsplit(text.removeprefix(PREFIX))
            netloc = _host(parts)
        except ValueError:
            raise ItemsError(f"The PACS has no URL that makes sense. Write it like {_EXAMPLE}.") from None
        if parts.username is not None or parts.password is not None:
            raise ItemsError(
                f"The URL of the PACS at {netloc} carries a user or password, which the index would keep. "
                "Leave them out, and set CBIR_DICOMWEB_USER and CBIR_DICOMWEB_PASSWORD."
            )
        if parts.scheme not in ("http", "https") or not netloc or parts.fragment:
            raise ItemsError(f"The PACS at {netloc or 'no host'} is no source. Write it like {_EXAMPLE}.")
        return cls(f"{parts.scheme}://{netloc}{parts.path.rstrip('/')}", _filters(parts.query))

    def __str__(self) -> str:
        query = urlencode(self.filters)
        return f"{PREFIX}{self.base}" + (f"?{query}" if query else "")

    def filter(self, keyword: str) -> str | None:
        """What a keyword must be, or None."""
        return dict(self.filters).get(keyword)


def is_pacs(text: str) -> bool:
    """Whether a source is meant to be a PACS."""
    return text.startswith(PREFIX)


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return host if parts.port is None else f"{host}:{parts.port}"


def _filters(query: str) -> tuple[tuple[str, str], ...]:
    given: dict[str, str] = {}
    for keyword, value in parse_qsl(query, keep_blank_values=True):
        if keyword not in _FORMS:
            raise ItemsError(f"A PACS can't be asked for {keyword!r} here; {nearest(keyword, list(_FORMS))}")
        form, words = _FORMS[keyword]
        if not form.fullmatch(value):
            raise ItemsError(f"{keyword} is {value!r}; it takes {words}.")
        if given.setdefault(keyword, value) != value:
            raise ItemsError(
                f"{keyword} is asked for as {given[keyword]!r} and as {value!r}. Give two sources instead."
            )
    return tuple((keyword, given[keyword]) for keyword in _FORMS if keyword in given)
