"""The program that tests kill: goes on with an index and says on stdout how many files are acknowledged."""

from __future__ import annotations

import json
import shutil
import sys
from functools import partial
from pathlib import Path

from cbir.errors import IndexMissingError
from cbir.extractors.spec import ExtractorSpec
from indexer.ingest import update_index
from indexer.ingesting.account import IngestOptions, Progress, SourceList
from indexer.writer import IndexWriter


def main(index: Path, prepared: Path, folder: str) -> None:
    try:
        IndexWriter.open(index).close()
    except IndexMissingError:
        spec = ExtractorSpec.from_dict(json.loads((prepared / "spec.json").read_text()))
        copy = partial(shutil.copytree, prepared / "model", dirs_exist_ok=True)
        IndexWriter.create(index, spec, lambda target: print("created into", copy(target))).close()
    print("created", flush=True)
    said = 0

    def say(progress: Progress) -> None:
        nonlocal said
        if progress.acknowledged > said:
            said = progress.acknowledged
            print("acknowledged", said, flush=True)

    options = IngestOptions(n_workers=2, commit_every_s=0.02, batch_size=4)
    report = update_index(index, SourceList((folder,)), options, on_progress=say)
    print("done", report.found, report.indexed, report.unchanged, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
