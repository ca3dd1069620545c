"""What becomes of a file whose content the index has, or had, already."""

from __future__ import annotations

import os
from dataclasses import replace

from indexer.ingesting.account import Account
from indexer.ingesting.candidates import Decoded, Known
from indexer.writer import IndexWriter


def file_known(writer: IndexWriter, account: Account, known: Known) -> None:
    """File it as unchanged, moved, a duplicate, or as an item again."""
    found, record, sha256 = known.found, known.record, known.sha256
    before = writer.file(found.path)
    twins = writer.paths_with(sha256)
    gone = next((each for each in twins if each != found.path and not os.path.lexists(each)), None)
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
