"""Re-ranking and label prediction over HTTP say what the command line says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from pictures import N_IMAGES, picture
from typer.testing import CliRunner

from cli.app import app as cli_app
from deploy.service.settings import ServiceSettings
from indexer import Index

SEARCH = "/v1/indexes/lesions/search"


def cbir(*words: object) -> str:
    result = CliRunner().invoke(cli_app, [str(word) for word in words], prog_name="cbir")
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def judged(lesions, make_classifier, tmp_path_factory) -> Path:
    """The index, with a classifier attached that knows nothing."""
    folder = tmp_path_factory.mktemp("judged")
    path = Path(shutil.copytree(lesions, folder / "lesions.index"))
    run = make_classifier(folder / "run", classes=("benign", "malignant"), is_ordinal=False)
    cbir("classify", "attach", run, "--name", "tiny", "-i", path)
    return path


@pytest.fixture
def client(judged, served):
    return served(ServiceSettings(indexes={"lesions": judged}, workers=1, show_groups=True))


def ask(client, expect: int = 200, **question):
    answer = client.post(SEARCH, json=question)
    assert answer.status_code == expect, answer.text
    return answer.json()


def hits_of(document):
    return [(hit["id"], pytest.approx(hit["score"], abs=1e-5)) for hit in document["hits"]]


def test_an_item_is_re_ranked_as_by_the_command_line(client, judged):
    with Index.open(judged) as index:
        item = next(index.items()).id
    said = json.loads(cbir("search", item, "-i", judged, "--rerank", "tiny", "-k", 5, "--json"))
    found = ask(client, item=item, rerank="tiny", k=5)
    assert [(hit["item"]["id"], hit["score"]) for hit in found["hits"]] == hits_of(said)
    assert found["rerank"]["posterior"] == pytest.approx(said["rerank"]["posterior"], abs=1e-5)
    assert [hit["agreement"] for hit in found["hits"]] == pytest.approx(
        [hit["agreement"] for hit in said["hits"]], abs=1e-5
    )


@pytest.mark.parametrize("more", [{}, {"roi": [10, 10, 60, 50]}])
def test_an_image_is_re_ranked_and_named_as_by_the_command_line(client, judged, tmp_path, more):
    image = tmp_path / "query.png"
    image.write_bytes(picture(N_IMAGES))
    words = ["--roi", "10,10,60,50"] if more else []
    said = json.loads(
        cbir("search", image, "-i", judged, "--rerank", "tiny", "-k", 5, "--predict", "--json", *words)
    )
    question = json.dumps({"rerank": "tiny", "k": 5, "predict": True, **more})
    answer = client.post(SEARCH, files={"file": ("x", image.read_bytes())}, data={"question": question})
    found = answer.json()
    assert [(hit["item"]["id"], hit["score"]) for hit in found["hits"]] == hits_of(said)
    prediction, expected = found["prediction"], said["prediction"]
    for name in ("column", "label", "candidate", "calibrated", "risk", "k"):
        assert prediction[name] == expected[name]
    assert prediction["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-5)
    assert [hit["id"] for hit in prediction["support"]] == [hit["id"] for hit in expected["support"]]


def test_a_copy_of_the_image_that_asks_has_no_vote(client, pictures):
    own = (pictures / "Doe^John 3.png").read_bytes()
    answer = client.post(SEARCH, files={"file": ("x", own)}, data={"question": '{"predict": true}'}).json()
    voters = answer["prediction"]["support"] + answer["prediction"]["against"]
    assert answer["hits"][0]["score"] == pytest.approx(1, abs=1e-4)
    assert answer["hits"][0]["item"]["id"] not in {hit["id"] for hit in voters}


def test_what_can_not_be_judged_is_a_problem(client, judged):
    with Index.open(judged) as index:
        item = next(index.items()).id
    for question, said in (
        ({"rerank": "nobody"}, "no classifier"),
        ({"rerank": "tiny", "refine": ["expand"]}, "can't go together"),
        ({"rerank": "tiny", "k": 20, "rerank_depth": 10}, "rerank_depth"),
    ):
        assert said in ask(client, expect=422, item=item, **question)["detail"]
    assert ask(client, item=item)["rerank"] is None


def test_a_prediction_names_no_path(client, judged):
    with Index.open(judged) as index:
        item = next(index.items()).id
    note = ask(client, item=item, predict=True)["prediction"]["note"]
    assert note.startswith("not calibrated")
    assert str(judged.parent) not in note
