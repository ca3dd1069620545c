"""`cbir pacs watch`: what comes and goes is followed, a PACS that is away is waited for, SIGTERM drains."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from typer.testing import CliRunner

from cbir.errors import SkipReason
from cbir.images.settings import DecodeLimits
from cbir.items.dicomweb import PacsAccess
from cli.app import app
from cli.patient_key import read_key
from indexer import Index
from indexer.ingest import update_index
from indexer.ingesting.account import IngestOptions, SourceList
from indexer.ingesting.news import has_news

ACCESS = PacsAccess()


def build(index: Path, source: str) -> None:
    options = IngestOptions(n_workers=1, hash_key=read_key("test"), pacs=ACCESS)
    update_index(index, SourceList((source,)), options)


@contextmanager
def watching(index: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    words = ["pacs", "watch", "-i", str(index), "--every-s", "0.1", "--prune", "--workers", "1"]
    environment = os.environ | {"CBIR_PATIENT_KEY": "test"}
    with log.open("wb") as errors:
        process = subprocess.Popen([sys.executable, "-m", "cli", *words], stderr=errors, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(is_so: Callable[[], bool], what: Path) -> None:
    give_up = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < give_up, what.read_text()
        time.sleep(0.02)


def names_in(index: Path) -> list[str]:
    with Index.open(index, resident=False) as opened:
        return sorted(item.path.rsplit("/", 1)[1] for item in opened.items())


def test_what_comes_and_goes_is_followed_and_sigterm_ends_it(double, tiny_index, dicom, tmp_path):
    build(tiny_index, double.source)
    log = tmp_path / "log"
    with watching(tiny_index, log) as process:
        wait_for(lambda: "watching" in log.read_text(), log)
        del double.stored["1.2.826.1.1.0"]
        double.plan.add("failing", r"\?limit=", times=3)
        double.put(dicom(7, study=2))
        wait_for(lambda: "1.2.826.1.2.7" in names_in(tiny_index), log)
        wait_for(lambda: "1.2.826.1.1.0" not in names_in(tiny_index), log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert log.read_text().splitlines()[-1] == "stopped; what is embedded is in the index"
    assert "indexed   1" in log.read_text()


def test_a_look_fetches_nothing_and_says_whether_an_update_would(double, tiny_index, dicom):
    build(tiny_index, double.source)
    double.plan.clear()
    assert not has_news(tiny_index, ACCESS, prune=True)
    stored = double.stored.pop("1.2.826.1.1.0")
    assert has_news(tiny_index, ACCESS, prune=True)
    assert not has_news(tiny_index, ACCESS, prune=False)
    double.put(stored.content)
    double.put(dicom(8))
    assert has_news(tiny_index, ACCESS, prune=False)
    assert double.n_fetched() == 0


def test_what_is_too_large_is_no_news_every_time(double, tiny_index, dicom):
    double.put(dicom(1, study=5, side_px=800))
    source = f"{double.source}?StudyInstanceUID=1.2.826.2.5"
    options = IngestOptions(n_workers=1, pacs=ACCESS, limits=DecodeLimits(max_file_mb=1))
    for _ in range(2):
        report = update_index(tiny_index, SourceList((source,)), options)
        assert report.skipped == {SkipReason.TOO_LARGE: 1}
        assert not has_news(tiny_index, ACCESS, prune=True)


def test_an_index_of_files_has_no_pacs_to_watch(tiny_index):
    result = CliRunner().invoke(app, ["pacs", "watch", "-i", str(tiny_index)])
    assert result.exit_code == 1
    assert "was built from no PACS" in result.output
