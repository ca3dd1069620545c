"""`cbir index import`, and what an index without networks answers; docs/results.md, run as it is written."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from indexer import Index

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results.md"
CESM = ("image_features.npy", "labels.csv")


@pytest.fixture
def matrix(tmp_path) -> np.ndarray:
    """Eight embeddings and their items; the fourth is zero."""
    rows = np.random.default_rng(7).standard_normal((8, 5)) * 3
    rows[3] = 0
    np.save(tmp_path / "e.npy", rows)
    lines = [f"é{number},{'ab'[number % 2]},g{number // 2}" for number in range(8)]
    (tmp_path / "items.csv").write_text("\n".join(["image_id,kind,patient_id", *lines]), encoding="utf-8")
    return rows


@pytest.fixture
def imported(run, matrix, tmp_path) -> Path:
    run("index", "import", "e.npy", "--items", "items.csv", "--path", "image_id", "--label", "kind",
        "--name", "other net", "-o", "x.index", expect=3)  # fmt: skip
    return tmp_path / "x.index"


def test_every_row_is_accounted_for(run, matrix):
    words = ("index", "import", "e.npy", "--items", "items.csv", "--path", "image_id", "--name", "n")
    result = run(*words, expect=3)
    assert "importing 8 embeddings of 5 dimensions into cbir.index as n" in result.stderr
    account = " ".join(result.stderr.splitlines())
    assert re.search(r"found +8 .*indexed +7 .*skipped +1  bad_embedding 1", account)
    (skipped,) = Path("cbir.index/skipped.jsonl").read_text().splitlines()
    assert json.loads(skipped)["detail"] == "the embedding is zero"
    assert re.search(r"unchanged +7", run(*words, expect=3).stderr)


def test_an_item_asks_by_its_id_and_by_its_path(run, imported, matrix, tmp_path):
    with Index.open(imported) as index:
        ids = {item.path: item.id for item in index.items()}
    by_path = json.loads(run("search", "é0", "-i", imported, "-k", 3, "--json").stdout)
    by_id = json.loads(run("search", ids[str(tmp_path / "é0")], "-i", imported, "-k", 3, "--json").stdout)
    assert by_path["hits"] == by_id["hits"]
    unit = matrix[[0, 1, 2, 4, 5, 6, 7]]
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    scores = np.sort(unit[1:] @ unit[0])[::-1][:3]
    np.testing.assert_allclose([hit["score"] for hit in by_id["hits"]], scores, atol=1e-5)
    run("search", "é0", "-i", imported, "--html", tmp_path / "hits.html", "--exclude-same", "group")
    assert (tmp_path / "hits.html").is_file()


def test_everything_that_needs_no_network_works(run, imported):
    assert "other net" in run("index", "info", "-i", imported).stdout
    run("index", "verify", "-i", imported)
    assert "P@10" in run("evaluate", "-i", imported).stdout
    run("index", "remove", "é0", "-i", imported)
    run("index", "compact", "-i", imported)
    run("index", "verify", "-i", imported)


def test_what_needs_a_network_says_what_the_index_is_and_what_to_do(run, imported, gallery):
    result = run("search", gallery / "one.png", "-i", imported, expect=5)
    assert "embeddings imported as other net and no network to embed" in result.stderr
    assert "Search with the id or the path of one of its items" in result.stderr
    for words in (("update", "-i"), ("build", gallery, "-o")):
        result = run("index", *words, imported, expect=5)
        assert len([line for line in result.stderr.splitlines() if line.startswith("error:")]) == 1
        assert "imported as other net and no network to embed images with" in result.stderr
    assert "is no file, and no item" in run("search", "nothing", "-i", imported, expect=1).stderr


def test_a_page_of_an_extractor_can_not_be_an_imported_one(run, gallery, tiny_model, tmp_path):
    page = (tiny_model / "tiny.toml").read_text().replace("timm:test_resnet", "imported:x")
    page = re.sub(r"preprocess = \[.*?\n\]", "preprocess = []", page, flags=re.DOTALL)
    (tmp_path / "x.toml").write_text(page.replace('"avg"', '"model"'))
    shutil.copy(tiny_model / "random.safetensors", tmp_path)
    result = run("index", "build", gallery, "--extractor", "x.toml", expect=1)
    assert "cbir index import" in result.stderr


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ({"EMBEDDINGS": "items.csv"}, 1, "ends with '.csv'"),
        ({"EMBEDDINGS": "gone.npy"}, 1, "no file"),
        ({"--items": "gone.csv"}, 1, "can't be read"),
        ({"--path": "file"}, 1, "no column 'file'"),
        ({"--label": "grade"}, 1, "no column 'grade'"),
        ({"--sha256": "12"}, 1, "64 lower-case hex digits"),
        ({"--name": ""}, 1, "say what made the embeddings"),
        ({"--array": "x"}, 1, "Leave out --array"),
    ],
)
def test_mistakes_are_said_in_a_line_and_make_no_index(run, matrix, change, code, named):
    options = {"--items": "items.csv", "--path": "image_id", "--name": "n", **change}
    file = options.pop("EMBEDDINGS", "e.npy")
    result = run("index", "import", file, *[word for pair in options.items() for word in pair], expect=code)
    assert named in result.stderr
    assert not Path("cbir.index").exists()


def test_items_that_name_an_image_twice_are_refused(run, matrix):
    Path("twice.csv").write_text("path\n" + "a.png\n" * 8)
    result = run("index", "import", "e.npy", "--items", "twice.csv", "--name", "n", expect=1)
    assert "a.png is in line 2 already" in result.stderr


def blocks(kind: str) -> list[str]:
    page = RESULTS.read_text(encoding="utf-8")
    fences = re.findall(r"^```(\w*)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [text for found, text in fences if found == kind]


def test_the_results_on_cdd_cesm_are_what_their_commands_give(run, shared_data, tmp_path):
    for name in CESM:
        shutil.copyfile(shared_data / "data" / "cdd_cesm_biomedclip_embeddings" / name, tmp_path / name)
    exec(blocks("python")[0], {})  # noqa: S102 (our own page)
    importing, *evaluations = [shlex.split(line)[1:] for line in blocks("")[0].splitlines()]
    run(*importing)
    documents = {words[-1]: json.loads(run(*words, "--json").stdout) for words in evaluations}
    table = re.findall(
        r"^\| `(\w+)` \| (\w+) \| (\S+) \| (\S+) – (\S+) \| (\S+) \| (\S+) \| (.*) \|$",
        RESULTS.read_text(encoding="utf-8"), re.MULTILINE,
    )  # fmt: skip
    assert {row[0] for row in table} == set(documents)
    for label, mean, value, low, high, random, majority, verdict in table:
        found = documents[label]["measures"]["precision"][mean]
        said = [float(value), float(random), float(majority)]
        assert [found["value"], found["random"], found["majority"]] == pytest.approx(said, abs=6e-5)
        # The draws depend on the folder, and density A on two patients.
        assert found["interval"] == pytest.approx([float(low), float(high)], abs=3e-3)
        assert found["beats_both"] == verdict.startswith("beats both")
        assert (documents[label]["n_queries"], documents[label]["n_groups"]) == (742, 286)


def test_the_audit_of_published_counts_prints_what_it_says(capsys):
    exec(blocks("python")[1], {})  # noqa: S102 (our own page)
    assert capsys.readouterr().out == blocks("")[1]
