"""What becomes of a file whose content the index has, or had, already."""

from __future__ import annotations

import os
from dataclasses import replace

from cbir.errors import SkipReason
from cbir.items import Found, Refused, is_remote
from cbir.items.dicomweb import PacsServers
from indexer.ingesting.account import Account
from indexer.ingesting.candidates import Decoded, Known, Skip
from indexer.writer import IndexWriter

_OF_THE_CONTENT = frozenset(
    {
        SkipReason.NOT_AN_IMAGE,
        SkipReason.NO_PIXELS,
        SkipReason.TRUNCATED,
        SkipReason.MALFORMED,
        SkipReason.DECODER_CRASHED,
        SkipReason.DECODER_TIMEOUT,
    }
)
"""Fetching the same again would end the same; other reasons may pass with a setting or a library."""


def recall(writer: IndexWriter, found: Found | Refused) -> Found | Refused | Known | Skip:
    """Whether an instance of a PACS need not be fetched: the PACS says of it what it said when it was."""
    before = writer.file(found.path) if isinstance(found, Found) and found.remote is not None else None
    if not isinstance(found, Found) or found.remote is None or before is None or before.sha256 is None:
        return found
    if before.mtime_ns != found.remote.version:
        return found
    if before.outcome == "skipped":
        return Skip(before) if before.reason in _OF_THE_CONTENT else found
    return Known(found, before, before.sha256)


def file_known(writer: IndexWriter, account: Account, known: Known, pacs: PacsServers) -> None:
    """File it as unchanged, moved, a duplicate, or as an item again."""
    found, record, sha256 = known.found, known.record, known.sha256
    before = writer.file(found.path)
    twins = writer.paths_with(sha256)
    gone = next((each for each in twins if each != found.path and is_gone(each, pacs)), None)
    if before and before.sha256 == sha256 and before.outcome != "skipped":
        account.unchanged += 1
        if (before.size, before.mtime_ns) != (record.size, record.mtime_ns):
            writer.note_file(replace(record, outcome=before.outcome))
    elif gone:
        account.unchanged += 1
        account.moved += 1
        writer.move_file(gone, record)
    elif not writer.has_content(sha256):  # another path of an image that is an item under other bytes
        account.duplicate += 1
        writer.note_duplicate(replace(record, outcome="duplicate"))
    elif twins:
        account.duplicate += 1
        writer.link_file(replace(record, outcome="duplicate"))
    else:  # its items were removed, its embedding is still there
        account.indexed += 1
        writer.link_file(record)
    writer.update_annotations(found.path, label=found.label, group=found.group, metadata=found.metadata)


def is_gone(path: str, pacs: PacsServers) -> bool:
    """Whether nothing is under a path any more, as far as disks and the PACS of the run say."""
    return pacs.has_lost(path) if is_remote(path) else not os.path.lexists(path)


def is_known_instance(writer: IndexWriter, account: Account, decoded: Decoded) -> bool:
    """Whether the image is an item already: the same SOPInstanceUID and pixels, in other bytes."""
    twins = 0
    for frame in decoded.frames:
        twin = writer.instance(frame.info.instance) if frame.info.instance else None
        if twin is None or twin[0] == decoded.record.sha256:
            continue
        if twin[1] != frame.pixels_sha256:
            account.notes["same SOPInstanceUID as another file, but other pixels"] += 1
            return False
        twins += 1
    return twins == len(decoded.frames) > 0
