"""Searching over HTTP finds what the library finds, and says what is wrong with a question."""

from __future__ import annotations

import json

import pytest
from pictures import N_IMAGES, picture

from indexer import Index

SEARCH = "/v1/indexes/lesions/search"


@pytest.fixture(scope="module")
def index(lesions):
    with Index.open(lesions) as opened:
        yield opened


@pytest.fixture(scope="module")
def ids(index):
    return [item.id for item in index.items()]


def ask(client, expect: int = 200, **question):
    answer = client.post(SEARCH, json=question)
    assert answer.status_code == expect, answer.text
    return answer.json()


def send(client, image: bytes, expect: int = 200, **question):
    answer = client.post(SEARCH, files={"file": ("x", image)}, data={"question": json.dumps(question)})
    assert answer.status_code == expect, answer.text
    return answer.json()


def test_an_item_finds_what_the_library_finds(client, index, ids):
    for item_id in ids:
        expected = index.search(index.query(item_id), 5)
        found = ask(client, item=item_id, k=5)["hits"]
        assert [(hit["rank"], hit["item"]["id"], hit["score"]) for hit in found] == [
            (hit.rank, hit.item.id, pytest.approx(hit.score, abs=1e-6)) for hit in expected
        ]


def test_an_image_that_is_sent_finds_itself(client, index):
    for seed in range(N_IMAGES):
        found = send(client, picture(seed), k=1)
        assert found["hits"][0]["score"] == pytest.approx(1, abs=1e-4)
        assert index.item(found["hits"][0]["item"]["id"]).path.endswith(f" {seed}.png")
        assert found["thumbnail"]


def test_a_question_is_not_needed_beside_an_image(client):
    answer = client.post(SEARCH, files={"file": ("x.png", picture(3))})
    assert len(answer.json()["hits"]) == N_IMAGES


def test_a_region_is_another_question_than_the_whole(client):
    whole = send(client, picture(3), k=1)["hits"][0]
    region = send(client, picture(3), k=1, roi=[0, 0, 40, 40])["hits"][0]
    assert region["score"] < whole["score"] - 1e-3


def test_a_region_outside_of_the_image_is_refused(client):
    assert "outside" in send(client, picture(3), expect=422, roi=[0, 0, 400, 40])["detail"]


def test_a_condition_holds_before_the_cut(client, ids):
    found = ask(client, item=ids[0], k=3, where="view = 'MLO' and label = 'benign'")
    assert found["where"] == "view = 'MLO' and label = 'benign'"
    assert {(hit["item"]["metadata"]["view"], hit["item"]["label"]) for hit in found["hits"]} == {
        ("MLO", "benign")
    }


def test_the_patient_who_asks_can_be_left_out(client, ids):
    asked = client.get(f"/v1/indexes/lesions/items/{ids[0]}").json()
    groups = {hit["item"]["group"] for hit in ask(client, item=ids[0], k=20, exclude_same_group=True)["hits"]}
    assert len(groups) == 3
    assert asked["group"] not in groups


def test_a_whole_number_may_be_written_with_a_point(client, ids):
    assert len(ask(client, item=ids[0], k=2.0)["hits"]) == 2


def test_liked_items_move_the_query_and_are_no_hits(client, ids):
    found = ask(client, like=[ids[0], ids[1]], unlike=[ids[2]], k=20)["hits"]
    assert {hit["item"]["id"] for hit in found} == set(ids[3:])


def test_a_refinement_is_said_with_all_its_settings(client, ids):
    assert ask(client, item=ids[0], refine=["expand:k=2"])["refine"] == ["expand:k=2,alpha=3"]


@pytest.mark.parametrize(
    ("question", "status", "said"),
    [
        ({}, 400, "Name what to search for"),
        ({"like": []}, 400, "Name what to search for"),
        ({"item": "x", "k": 0}, 400, "k:"),
        ({"item": "x", "k": "5"}, 400, "k:"),
        ({"item": "x", "k": 5.5}, 400, "k:"),
        ({"item": "x", "k": True}, 400, "k:"),
        ({"item": "x", "kk": 1}, 400, "kk:"),
        ({"item": "nobody"}, 404, "no item 'nobody'"),
        ({"like": ["nobody"]}, 404, "no item 'nobody'"),
        ({"item": "{0}", "where": "nonsense = 3"}, 422, "no column 'nonsense'"),
        ({"item": "{0}", "where": "view ="}, 422, "view ="),
        ({"item": "{0}", "where": "path = 'x'"}, 422, "path is not shown"),
        ({"item": "{0}", "where": "group = 'patient-1'"}, 422, "group is not shown"),
        ({"item": "{0}", "refine": ["nonsense"]}, 422, "no refinement 'nonsense'"),
        ({"item": "{0}", "like": ["{1}"], "unlike": ["{1}"]}, 422, "liked and unliked"),
    ],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_a_problem(client, ids, question, status, said):
    filled = json.loads(json.dumps(question).replace("{0}", ids[0]).replace("{1}", ids[1]))
    answer = client.post(SEARCH, json=filled)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert said in document["detail"]


def test_what_is_no_image_is_refused(client):
    assert "not_an_image" in send(client, b"nothing", expect=422)["detail"]
    assert "not_an_image" in send(client, b"", expect=422)["detail"]
    cut = send(client, picture(1)[:200], expect=422)["detail"]
    assert "truncated" in cut or "malformed" in cut


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400),
        ({"content": b"\xff", "headers": {"content-type": "application/json"}}, 400),
        ({"content": b'{"item":"\\ud800"}', "headers": {"content-type": "application/json"}}, 400),
        ({"content": b"x", "headers": {"content-type": "image/png"}}, 415),
        ({"content": b"x"}, 415),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400),
        ({"data": {"question": "{}"}, "files": {"other": b"x"}}, 400),
        ({"files": [("file", b"x"), ("file", b"y")]}, 400),
        ({"files": {"file": b"x"}, "data": {"question": "["}}, 400),
        ({"files": {"file": b"x"}, "data": {"question": "{}", "more": "1"}}, 400),
    ],
)
def test_a_body_that_is_none_is_refused(client, sent, status):
    answer = client.post(SEARCH, **sent)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_several_questions_have_an_answer_or_a_problem_each(client, ids):
    questions = [{"item": ids[0], "k": 2}, {"item": "nobody"}, {"like": [ids[1]], "where": "nonsense = 1"}]
    answer = client.post(f"{SEARCH}/batch", json={"questions": questions})
    assert answer.status_code == 200, answer.text
    first, second, third = answer.json()["answers"]
    alone = ask(client, item=ids[0], k=2)
    assert first["answer"]["hits"] == alone["hits"]
    assert (second["answer"], second["problem"]["status"]) == (None, 404)
    assert (third["answer"], third["problem"]["status"]) == (None, 422)


@pytest.mark.parametrize(
    ("questions", "status"),
    [
        ([], 400),
        ([{}], 400),
        ([{"item": "x", "roi": [0, 0, 1, 1]}], 400),
        ([{"item": "x", "k": 1000}] * 11, 422),
    ],
)
def test_several_questions_that_are_none_are_refused(client, questions, status):
    answer = client.post(f"{SEARCH}/batch", json={"questions": questions})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
