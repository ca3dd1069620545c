"""The body of a multipart answer: the part that is asked for, whole or not at all."""

from __future__ import annotations

import re

_BOUNDARY = re.compile(
    r"""boundary\s*=\s*("(?P<quoted>[^"]{1,200})"|(?P<plain>[^\s;"]{1,200}))""", re.IGNORECASE
)
_BLANK = b"\r\n\r\n"


class CutError(ValueError):
    """The body ends before its time."""


class NoDicomError(ValueError):
    """The answer is of another kind."""


def first_part(body: bytes | bytearray, content_type: str) -> bytes:
    """Take the first part out of an answer to WADO-RS; of a server that sends it bare, the body.

    Args:
        body: of the answer.
        content_type: its header.

    Raises:
        CutError: it ends before the part does.
        NoDicomError: another kind of answer.
    """
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    if kind == "application/dicom":
        return bytes(body)
    boundary = _BOUNDARY.search(content_type)
    if kind != "multipart/related" or boundary is None:
        raise NoDicomError
    mark = b"--" + (boundary["quoted"] or boundary["plain"]).encode("latin-1", "replace")
    start = body.find(mark)
    blank = body.find(_BLANK, start)
    end = body.find(b"\r\n" + mark, blank + len(_BLANK))
    if min(start, blank, end) < 0:
        raise CutError
    return bytes(memoryview(body)[blank + len(_BLANK) : end])
