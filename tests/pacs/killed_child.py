"""The program that a test kills: builds from a PACS, and says how many instances are acknowledged."""

from __future__ import annotations

import sys
from pathlib import Path

from orthanc import PASSWORD, USER

from cbir.items.dicomweb import PacsAccess
from cli.patient_key import read_key
from indexer.ingest import update_index
from indexer.ingesting.account import IngestOptions, Progress, SourceList


def main(index: Path, source: str) -> None:
    said = 0

    def say(progress: Progress) -> None:
        nonlocal said
        if progress.acknowledged > said:
            said = progress.acknowledged
            print("acknowledged", said, flush=True)

    access = PacsAccess(user=USER, password=PASSWORD)
    options = IngestOptions(
        n_workers=1, commit_every_s=0.01, batch_size=1, hash_key=read_key("test"), pacs=access
    )
    update_index(index, SourceList((source,)), options, on_progress=say)
    print("done", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
