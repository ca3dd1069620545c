"""A folder of explanations is written over by the next one, and nothing else of it is."""

from __future__ import annotations

import json

import pytest

from cbir.errors import CbirError
from classifiers.explain.folder import ExplainFolder


def test_the_next_explanation_takes_the_place_of_the_last(tmp_path):
    folder = tmp_path / "out"
    ExplainFolder(folder).write({"rank-01-query.png": b"1", "rank-02-query.png": b"2"}, {"hits": []})
    (folder / "notes.txt").write_text("mine")
    ExplainFolder(folder).write({"rank-01-query.png": b"3"}, {"hits": [1]})
    assert sorted(each.name for each in folder.iterdir()) == [
        "explain.json",
        "notes.txt",
        "rank-01-query.png",
    ]
    assert (folder / "rank-01-query.png").read_bytes() == b"3"
    document = json.loads((folder / "explain.json").read_text())
    assert document == {
        "cbir": "explain", "version": 1, "complete": True, "hits": [1], "files": ["rank-01-query.png"],
    }  # fmt: skip


def test_a_picture_of_somebody_else_is_never_written_over(tmp_path):
    (tmp_path / "rank-01-query.png").write_bytes(b"mine")
    with pytest.raises(CbirError, match=r"rank-01-query\.png is there already"):
        ExplainFolder(tmp_path).write({"rank-01-query.png": b"1"}, {})
    assert (tmp_path / "rank-01-query.png").read_bytes() == b"mine"


@pytest.mark.parametrize("text", ["{}", "no json", '{"cbir": "hits", "files": []}'])
def test_an_explain_json_of_somebody_else_is_refused(tmp_path, text):
    (tmp_path / "explain.json").write_text(text)
    with pytest.raises(CbirError, match=r"explain\.json is there already"):
        ExplainFolder(tmp_path)


def test_a_list_can_name_no_file_but_pictures_in_the_folder(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "thesis.png").write_bytes(b"mine")
    (tmp_path / "out" / "thesis.txt").write_bytes(b"mine")
    listed = {"cbir": "explain", "files": ["../thesis.png", "thesis.txt", 3]}
    (tmp_path / "out" / "explain.json").write_text(json.dumps(listed))
    ExplainFolder(tmp_path / "out").write({}, {})
    assert (tmp_path / "thesis.png").exists()
    assert (tmp_path / "out" / "thesis.txt").exists()


def test_what_an_interrupted_run_left_is_written_over(tmp_path, monkeypatch):
    folder = ExplainFolder(tmp_path)
    pictures = {"rank-01-query.png": b"1", "rank-02-query.png": b"2"}
    with pytest.raises(TypeError):
        folder.write({**pictures, "rank-03-query.png": None}, {})
    assert json.loads((tmp_path / "explain.json").read_text())["complete"] is False
    ExplainFolder(tmp_path).write(pictures, {})
    assert json.loads((tmp_path / "explain.json").read_text())["complete"] is True


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(CbirError, match="is a file"):
        ExplainFolder(tmp_path / "out")
