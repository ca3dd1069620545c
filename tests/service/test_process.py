"""The service as it is run: too much, too slow, told to stop, its index changed or gone."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from canaries import CANARY, with_canaries
from pictures import picture
from pydicom.data import get_testdata_file

from indexer import Index, IndexWriter

SEARCH = "/v1/indexes/lesions/search"
MIB = 2**20


def until(condition, timeout_s: float = 20) -> None:
    ends = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends, "it never came to that"
        time.sleep(0.05)


def n_admitted(client: httpx.Client) -> int:
    page = client.get("/metrics").text
    return round(float(page.split("\ncbir_requests_admitted ")[1].split()[0]))


def is_ready(service) -> bool:
    """Whether it says that it wants requests; one that listens no more does not."""
    try:
        with service.client() as client:
            return client.get("/readyz").status_code == 200
    except httpx.ConnectError:
        return False


def test_more_than_may_wait_are_told_to_come_back_and_the_rest_is_answered(process, lesions):
    service = process("-i", lesions, "--workers", 1, "--queue", 2)
    with service.client() as client, service.half_sent(SEARCH) as one, service.half_sent(SEARCH) as two:
        with service.half_sent(SEARCH) as three:
            until(lambda: n_admitted(client) == 3)
            refused = client.get("/v1/indexes")
            assert refused.status_code == 429
            assert int(refused.headers["retry-after"]) >= 1
            assert refused.headers["content-type"] == "application/problem+json"
            assert client.get("/livez").status_code == 200
            assert [each.finish() for each in (one, two, three)] == [404, 404, 404]
        assert client.get("/v1/indexes").status_code == 200
        assert 'cbir_requests_refused_total{why="busy"} 1.0' in client.get("/metrics").text


def test_under_four_times_the_load_what_is_accepted_is_answered_soon(process, lesions):
    service = process("-i", lesions, "--workers", 1, "--queue", 3)
    answers: list[tuple[int, float]] = []

    def ask() -> None:
        with service.client() as client:
            for seed in range(6):
                began = time.monotonic()
                status = client.post(SEARCH, files={"file": ("x", picture(seed))}).status_code
                answers.append((status, time.monotonic() - began))

    with service.client() as client:
        client.post(SEARCH, files={"file": ("x", picture(0))})
    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 96
    assert {status for status, _ in answers} == {200, 429}
    assert max(seconds for status, seconds in answers if status == 200) < 5


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_of_100_mb_is_refused_without_being_kept(process, lesions, declared):
    service = process("-i", lesions, "--body-mb", 8)

    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'

    def body() -> Iterator[bytes]:
        yield head
        for _ in range(100):
            yield bytes(MIB)

    length = {"Content-Length": str(len(head) + 100 * MIB)} if declared else {}
    headers = {"Content-Type": "multipart/form-data; boundary=x", **length}
    with service.client() as client:
        client.post(SEARCH, files={"file": ("x", picture(0))})
        before = psutil.Process(service.pid).memory_info().rss
        try:
            assert client.post(SEARCH, content=body(), headers=headers).status_code == 413
        except (httpx.WriteError, httpx.ReadError):  # closed before the client was done: it may not look
            until(lambda: '"status": 413' in service.log())
        assert psutil.Process(service.pid).memory_info().rss < before + 30 * MIB
        assert client.get("/livez").status_code == 200


def test_a_body_that_never_ends_is_given_up(process, lesions):
    service = process("-i", lesions, "--body-s", 0.5)
    with service.half_sent(SEARCH) as slow:
        assert slow.status() == 408


def test_told_to_stop_under_load_it_drops_nothing(process, lesions):
    service = process("-i", lesions, "--workers", 2)
    with Index.open(lesions) as index:
        item = next(index.items()).id
    statuses: list[int] = []
    dropped: list[BaseException] = []

    def ask(number: int) -> None:
        with service.client() as client:
            while True:
                try:
                    if number % 2:
                        answer = client.post(SEARCH, json={"item": item})
                    else:
                        answer = client.post(SEARCH, files={"file": ("x", picture(number))})
                except httpx.ConnectError:  # refused: nothing was asked
                    return
                except httpx.HTTPError as error:
                    dropped.append(error)
                    return
                statuses.append(answer.status_code)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: len(statuses) > 20)
    with service.half_sent(SEARCH) as slow:
        with service.client() as client:
            until(lambda: n_admitted(client) >= 1)
        service.signal(signal.SIGTERM)
        until(lambda: not is_ready(service))
        for thread in threads:
            thread.join(20)
        assert slow.finish() == 404
    assert service.wait() == 0, service.log()
    assert dropped == []
    assert set(statuses) == {200}


def test_a_newer_generation_takes_over_without_a_failed_request(process, own_lesions):
    service = process("-i", own_lesions)
    with Index.open(own_lesions) as index:
        first, last = [item.id for item in index.items()][::7]
    answers: list[tuple[int, int]] = []
    with service.client() as client:
        with IndexWriter.open(own_lesions) as writer:
            writer.remove([last])
            writer.commit()
            writer.compact()

        def asked() -> int:
            answer = client.post(SEARCH, json={"item": first, "k": 20})
            answers.append((answer.status_code, len(answer.json()["hits"])))
            return len(answer.json()["hits"])

        until(lambda: asked() == 6)
        assert set(answers) <= {(200, 7), (200, 6)}
        assert client.get(f"/v1/indexes/lesions/items/{last}").status_code == 404


def test_an_index_that_disappears_is_missed_and_found_again(process, own_lesions):
    service = process("-i", own_lesions)
    away = own_lesions.with_name("away")
    with service.client() as client:
        own_lesions.rename(away)
        until(lambda: client.get("/readyz").status_code == 503)
        answer = client.get("/v1/indexes/lesions")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert str(own_lesions.parent) not in answer.text
        assert client.get("/v1/indexes").json()["indexes"] == [{"name": "lesions", "is_there": False}]
        away.rename(own_lesions)
        until(lambda: client.get("/readyz").status_code == 200)
        assert client.get("/v1/indexes/lesions").status_code == 200


@pytest.mark.parametrize("readable", [True, False])
def test_no_text_of_a_dicom_file_is_answered_or_written_down(process, lesions, tmp_path, readable):
    data = with_canaries(
        Path(str(get_testdata_file("MR_small.dcm"))).read_bytes(), keep_what_decides_pixels=readable
    )
    audit = tmp_path / "audit.jsonl"
    service = process("-i", lesions, "--audit", audit)
    with service.client() as client:
        answers = [
            client.post(SEARCH, files={"file": (CANARY, data)}),
            client.post(SEARCH, files={"file": (CANARY, data[:-1000])}),
            client.get(f"/v1/indexes/lesions/items/{CANARY[:-1]}"),
            client.get(f"/{CANARY}"),
        ]
        assert answers[0].status_code == (200 if readable else 422)
        said = "".join(each.text for each in (*answers[:2], client.get("/metrics")))
        service.signal(signal.SIGTERM)
        assert service.wait() == 0
    assert CANARY not in said
    assert CANARY[:-1] not in service.log()
    assert CANARY not in audit.read_text()
    lines = [json.loads(line) for line in audit.read_text().splitlines()]
    assert [set(line) for line in lines] == [
        {"time", "event", "key", "tenant", "index", "generation", "query_sha256", "hits"}
    ] * readable
    assert all(line.startswith(("{", "Serving ")) for line in service.lines)


def test_its_first_answer_comes_soon(process, lesions):
    service = process("-i", lesions)
    with Index.open(lesions) as index:
        item = next(index.items()).id
    with service.client() as client:
        assert client.post(SEARCH, json={"item": item}).status_code == 200
    assert time.monotonic() - service.started < 20  # 2 s where nothing else runs
