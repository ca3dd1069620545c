"""Whatever goes wrong with a PACS: every instance is accounted for, or one line and exit code 7."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from cbir.errors import BackendError, ImageError, SkipReason
from cbir.items import find_items
from cbir.items.dicomweb import PacsAccess, PacsServers
from cbir.items.dicomweb.trouble import trouble_of
from cbir.items.found import Refused
from cli.exit_codes import exit_code, explain
from indexer import Index
from indexer.ingest import update_index
from indexer.ingesting.account import IngestOptions, IngestReport, SourceList

FOR_EVER = -1
ACCESS = PacsAccess(timeout_s=0.5, patience_s=0.3)
PATIENT = PacsAccess(timeout_s=0.5, patience_s=60)
WADO, QIDO = r"/instances/[0-9.]+$", r"\?limit="


def update(index, *sources: str, access: PacsAccess = ACCESS, **more: object) -> IngestReport:
    options = IngestOptions(n_workers=1, batch_size=2, hash_key=b"test", pacs=access, **more)
    report = update_index(index, SourceList(sources) if sources else None, options)
    assert report.found == report.indexed + report.unchanged + report.duplicate + sum(report.skipped.values())
    return report


def list_all(double, access: PacsAccess = ACCESS, query: str = "") -> list:
    with PacsServers(access) as pacs:
        return list(find_items([double.source + query], pacs=pacs))


@pytest.mark.parametrize(
    ("kind", "more", "what"),
    [
        ("reset", {}, "can't be reached"),
        ("slow", {"delay_s": 0.6}, "did not answer in time"),
        ("limited", {"retry_after_s": 60}, "limits how often"),
        ("failing", {}, "fails (status 500)"),
        ("cut", {}, "breaks off its answers"),
        ("nonsense", {}, "is no DICOMweb"),
        ("moved", {}, "sends us to another address"),
    ],
)
def test_a_server_that_can_not_be_searched_is_one_line(kind, more, what, double, no_pauses):
    double.plan.add(kind, QIDO, times=FOR_EVER, **more)
    with pytest.raises(BackendError) as caught:
        list_all(double)
    assert exit_code(caught.value) == 7
    assert what in explain(caught.value)
    assert "\n" not in explain(caught.value)
    assert (double.plan.n_seen(QIDO) > 1) is (kind not in ("nonsense", "moved", "limited"))


def test_where_there_is_no_dicomweb_the_path_is_wrong(double):
    with PacsServers(ACCESS) as pacs, pytest.raises(BackendError, match="Check the path"):
        find_items([double.source.replace("dicom-web", "web")], pacs=pacs)


@pytest.mark.parametrize("kind", ["reset", "failing", "limited", "cut", "slow"])
def test_what_passes_is_tried_again(kind, double, no_pauses):
    found, *_rest = list_all(double)
    double.plan.add(kind, WADO, times=2, delay_s=0.6)
    with PacsServers(PATIENT) as pacs:
        (same,) = find_items([f"{double.source}?SOPInstanceUID={found.path.rsplit('/', 1)[1]}"], pacs=pacs)
        assert same.remote.read(1 << 20) == double.stored[found.path.rsplit("/", 1)[1]].content
    assert len(no_pauses) == 2


def test_the_server_says_when_to_come_back(double, no_pauses):
    double.plan.add("limited", QIDO, after=1, retry_after_s=7)
    assert len(list_all(double, PATIENT)) == 6
    assert no_pauses == [7.0]


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [("7", 7), ("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("Fri, 31 Dec 2999 23:59:59 GMT", 600), ("soon", None)],
)
def test_a_server_may_name_seconds_or_a_time(header, wait_s):
    import requests

    response = requests.Response()
    response.status_code, response.headers["Retry-After"] = 503, header
    trouble = trouble_of(requests.HTTPError(response=response))
    assert (trouble.kind, trouble.retry_after_s) == ("failing", wait_s)


def test_an_instance_that_is_not_handed_out_is_skipped_and_tried_by_the_next_run(
    double, tiny_index, no_pauses
):
    double.plan.add("failing", r"/1\.2\.826\.1\.1\.1$", times=FOR_EVER)
    report = update(tiny_index, double.source)
    assert (report.indexed, report.skipped) == (5, {SkipReason.NOT_FETCHED: 1})
    double.plan.clear()
    again = update(tiny_index)
    assert (again.indexed, again.unchanged, double.n_fetched()) == (1, 5, 1)


def test_a_server_that_goes_away_ends_the_run_and_the_next_one_goes_on(double, tiny_index, no_pauses):
    double.plan.add("reset", r"826\.2\.2/", times=FOR_EVER)
    with pytest.raises(BackendError, match="can't be reached") as caught:
        update(tiny_index, double.source)
    assert exit_code(caught.value) == 7
    with Index.open(tiny_index) as index:
        n_before = len(index)
    assert n_before == 3  # of the first study
    double.plan.clear()
    report = update(tiny_index, double.source)
    assert (report.found, report.unchanged) == (6, n_before)
    assert double.n_fetched() == 6 - n_before


def test_an_interrupted_run_does_not_wait_for_a_server_that_fails(double, tiny_index):
    double.plan.add("failing", WADO, times=FOR_EVER)
    interrupt = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    started = time.monotonic()
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        update(tiny_index, double.source, access=PATIENT)
    assert time.monotonic() - started < PATIENT.patience_s / 2
    double.plan.clear()
    assert update(tiny_index, double.source).indexed == 6


def test_only_what_the_server_speaks_of_anew_is_fetched(double, tiny_index, dicom):
    assert update(tiny_index, double.source).indexed == 6
    double.plan.clear()
    assert update(tiny_index).unchanged == 6
    assert double.n_fetched() == 0
    with Index.open(tiny_index) as index:
        ids = {item.path: item.id for item in index.items()}

    del double.stored["1.2.826.1.1.0"]
    double.put(dicom(4, study=2))
    report = update(tiny_index)
    assert (report.indexed, report.unchanged, report.missing, double.n_fetched()) == (1, 5, 1, 1)
    # A run over another part of the PACS says nothing of the rest; what is gone is gone.
    report = update(tiny_index, f"{double.source}?StudyInstanceUID=1.2.826.2.2", prune=True)
    assert (report.found, report.missing) == (4, 1)
    with Index.open(tiny_index) as index:
        left = {item.path: item.id for item in index.items()}
    assert len(left) == 6
    assert {path: left[path] for path in ids if path in left} == {
        path: each for path, each in ids.items() if not path.endswith("1.2.826.1.1.0")
    }


def test_the_same_instance_in_a_folder_is_a_duplicate_and_moves_nothing(double, tiny_index, tmp_path):
    update(tiny_index, f"{double.source}?SOPInstanceUID=1.2.826.1.1.1")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.dcm").write_bytes(double.stored["1.2.826.1.1.1"].content)
    report = update(tiny_index, str(tmp_path / "images"))
    assert (report.duplicate, report.moved) == (1, 0)
    with Index.open(tiny_index) as index:
        assert len(index) == 2


def test_labels_are_joined_by_url(double, tiny_index, tmp_path, dicom):
    url = double.put(dicom(9, study=3))
    (tmp_path / "labels.csv").write_text(f"path,label\n{url},benign\n")
    source = f"{double.source}?StudyInstanceUID=1.2.826.2.3"
    options = IngestOptions(n_workers=1, pacs=ACCESS)
    update_index(tiny_index, SourceList((source,), labels=str(tmp_path / "labels.csv")), options)
    with Index.open(tiny_index) as index:
        assert [(item.path, item.label) for item in index.items()] == [(url, "benign")]


@pytest.mark.parametrize(("cap", "knows_offset", "n_found"), [(2, True, 6), (1, True, 6), (9, False, 6)])
def test_a_server_may_give_few_answers_at_once(cap, knows_offset, n_found, double):
    double.page_cap, double.knows_offset = cap, knows_offset
    assert len({found.path for found in list_all(double)}) == n_found


def test_an_instance_that_is_listed_without_its_uid_is_accounted_for(double):
    double.n_unnamed = 2
    refused = [found for found in list_all(double) if isinstance(found, Refused)]
    assert len({found.path for found in refused}) == 4
    assert {found.reason for found in refused} == {SkipReason.MALFORMED}


def test_no_more_requests_are_under_way_than_are_allowed(double, tiny_index):
    double.plan.add("slow", WADO, times=FOR_EVER, delay_s=0.05)
    assert update(tiny_index, double.source, access=PacsAccess(concurrency=2)).indexed == 6
    assert double.most_at_once == 2


def test_what_is_too_large_is_not_waited_for(double):
    found, *_rest = list_all(double)
    with PacsServers(ACCESS) as pacs:
        (same,) = find_items([f"{double.source}?SOPInstanceUID={found.path.rsplit('/', 1)[1]}"], pacs=pacs)
        with pytest.raises(ImageError, match="max_file_mb"):
            same.remote.read(1000)


def test_what_was_deleted_after_it_was_listed_has_vanished(double):
    with PacsServers(ACCESS) as pacs:
        found, *_rest = find_items([double.source], pacs=pacs)
        del double.stored["1.2.826.1.1.0"]
        with pytest.raises(ImageError, match="vanished"):
            found.remote.read(1 << 20)
