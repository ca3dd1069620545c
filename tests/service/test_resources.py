"""Indexes, items, thumbnails; nothing says where a file lies or who a patient is."""

from __future__ import annotations

import re

import pytest

from indexer import Index


@pytest.fixture(scope="module")
def ids(lesions):
    with Index.open(lesions) as index:
        return [item.id for item in index.items()]


def test_indexes_are_listed(client):
    assert client.get("/v1/indexes").json() == {
        "notice": "Research use only, not for diagnosis.",
        "indexes": [{"name": "lesions", "is_there": True}],
    }


def test_an_index_says_what_can_be_asked_of_it(client):
    found = client.get("/v1/indexes/lesions").json()
    assert (found["n_items"], found["extractor"], found["labels"]) == (
        8, "tiny", {"benign": 4, "malignant": 4},
    )  # fmt: skip
    columns = {each["name"]: each for each in found["columns"]}
    assert {each["value"]: each["n_items"] for each in columns["view"]["most"]} == {"CC": 4, "MLO": 4}
    assert columns["age"]["bounds"] == [50.0, 57.0]
    assert not {"path", "group"} & set(columns)


def test_an_item_has_neither_path_nor_patient(client, ids):
    found = client.get(f"/v1/indexes/lesions/items/{ids[0]}").json()
    assert set(found) == {"id", "label", "group", "frame", "metadata"}
    assert re.fullmatch("[0-9a-f]{16}", found["group"])


def test_no_answer_names_a_file_or_a_patient(client, ids, lesions):
    answers = [client.get("/v1/indexes").text, client.get("/v1/indexes/lesions").text]
    answers += [client.get(f"/v1/indexes/lesions/items/{each}").text for each in (*ids, "nobody")]
    answers.append(client.post("/v1/indexes/lesions/search", json={"item": ids[0], "k": 20}).text)
    answers.append(client.get("/metrics").text)
    for answer in answers:
        assert not re.search("Doe|John|patient-|" + re.escape(str(lesions.parent)), answer)


def test_a_thumbnail_is_a_jpeg(client, ids):
    answer = client.get(f"/v1/indexes/lesions/items/{ids[0]}/thumbnail")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content[:2] == b"\xff\xd8"


@pytest.mark.parametrize(
    "address",
    ["/v1/indexes/other", "/v1/indexes/lesions/items/nobody", "/v1/indexes/lesions/items/nobody/thumbnail",
     "/v1/indexes/lesions/items/..%2f..%2fetc", "/docs", "/"],
)  # fmt: skip
def test_what_is_not_there_is_a_problem(client, address):
    answer = client.get(address)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_every_answer_may_be_kept_by_nobody(client):
    headers = client.get("/v1/indexes").headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


def test_health_and_numbers(client):
    assert client.get("/livez").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}
    numbers = client.get("/metrics").text
    assert 'cbir_index_items{index="lesions"} 8.0' in numbers
    assert 'cbir_index_up{index="lesions"} 1.0' in numbers


def test_openapi_says_what_it_is_not_for(client):
    assert "not for diagnosis" in client.get("/openapi.json").json()["info"]["description"]
