"""Conditions and tenants at the command line."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from galleries import mixed
from typer.testing import CliRunner, Result

from cbir.items.where import holds, parse_where
from cbir.types import Item
from cli.app import app
from indexer import Index


@pytest.fixture(scope="module")
def index(tmp_path_factory) -> Path:
    return mixed(tmp_path_factory.mktemp("command") / "mixed.index")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("CBIR_INDEX", "CBIR_TENANT"):
        monkeypatch.delenv(name, raising=False)

    def run_words(*words: object, expect: int = 0) -> Result:
        result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
        assert result.exit_code == expect, result.output
        return result

    return run_words


def items_of(index: Path, **bounds: str) -> list[Item]:
    with Index.open(index, resident=False, **bounds) as opened:
        return list(opened.items())


def hits(result: Result) -> list[dict[str, object]]:
    return json.loads(result.stdout)["hits"]


def test_a_search_takes_a_condition(run, index):
    first = items_of(index)[0]
    text = "view = 'MLO' and not age < 50"
    result = run("search", first.id, "-i", index, "-k", 100, "--where", text, "--json")
    fit = [item for item in items_of(index) if holds(parse_where(text), item) and item.id != first.id]
    assert sorted(hit["id"] for hit in hits(result)) == [item.id for item in fit]
    assert json.loads(result.stdout)["where"] == "view = 'MLO' and age >= 50"
    plain = run("search", first.id, "-i", index, "--where", text)
    assert "where view = 'MLO' and age >= 50" in plain.stderr


def test_a_refined_search_takes_a_condition(run, index):
    first = items_of(index)[0].id
    words = ["search", first, "-i", index, "--refine", "expand", "-k", 10, "--json"]
    assert {hit["metadata"]["view"] for hit in hits(run(*words, "--where", "view = 'CC'"))} == {"CC"}


def test_a_batch_takes_a_condition(run, index, tmp_path):
    ids = [item.id for item in items_of(index)[:3]]
    (tmp_path / "asked.csv").write_text("id\n" + "\n".join(ids) + "\n")
    result = run("search", "--batch", "asked.csv", "-i", index, "--where", "view = 'CC'")
    lines = list(csv.DictReader(io.StringIO(result.stdout)))
    assert len(lines) == 30
    assert {line["view"] for line in lines} == {"CC"}


@pytest.mark.parametrize("command", [["search", "nobody"], ["evaluate"]])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("age >", 'error: In the condition, after "age >" a value is missing, at the end.'),
        ("agee > 5", "has no column 'agee'; did you mean age?"),
        ("age > '5'", "Column 'age' holds numbers, and '5' is text."),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused_in_a_line(run, index, command, text, words):
    asked = [items_of(index)[0].id if word == "nobody" else word for word in command]
    result = run(*asked, "-i", index, "--where", text, expect=2)
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_part_of_an_index_is_measured(run, index):
    words = ["evaluate", "-i", index, "--json", "-k", 5]
    part = json.loads(run(*words, "--where", "site in ('s1', 's2')").stdout)
    listed = json.loads(run(*words, "--queries", "site=s1,s2", "--gallery", "site=s1,s2",
                            "--allow-shared-groups").stdout)  # fmt: skip
    assert part["n_queries"] == listed["n_queries"] == part["n_gallery"]
    assert part["measures"] == listed["measures"]
    assert part["where"] == "site in ('s1', 's2')"
    assert f"of all where {part['where']}" in run(*words[:3], "--where", part["where"]).stdout


def test_the_columns_of_an_index_are_listed(run, index):
    table = run("index", "info", "-i", index, "--columns").stdout
    lines = {line.split("  ")[0]: line for line in table.splitlines()}
    assert "numbers" in lines["frame"]
    assert "'CC' " in lines["view"]
    assert '"größe ""x"""' in lines
    document = json.loads(run("index", "info", "-i", index, "--columns", "--json").stdout)
    assert document["items"] == len(items_of(index))
    by_name = {each["name"]: each for each in document["columns"]}
    assert by_name["site"]["n_values"] == 4


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Path:
    """An index of four tenants."""
    return mixed(tmp_path_factory.mktemp("tenants") / "shared.index", tenant="site")


def test_a_search_names_its_tenant(run, shared, monkeypatch):
    mine = items_of(shared, tenant="s2")
    words = ["search", mine[0].id, "-i", shared, "-k", 100, "--json"]
    found = hits(run(*words, "--tenant", "s2"))
    assert sorted(hit["id"] for hit in found) == [item.id for item in mine[1:]]
    assert {hit["metadata"]["site"] for hit in found} == {"s2"}
    monkeypatch.setenv("CBIR_TENANT", "s2")
    assert hits(run(*words)) == found
    evaluated = json.loads(run("evaluate", "-i", shared, "--json", "-k", 3).stdout)
    assert evaluated["tenant"] == "s2"
    assert evaluated["n_gallery"] == len(mine)


@pytest.mark.parametrize("command", [["search", "ID"], ["evaluate"]])
def test_a_search_without_a_tenant_is_refused(run, shared, index, command):
    asked = [items_of(shared)[0].id if word == "ID" else word for word in command]
    result = run(*asked, "-i", shared, expect=2)
    assert "keeps its tenants apart by column 'site', and none was named" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    result = run(*asked, "-i", index, "--tenant", "s2", expect=2)
    assert "keeps no tenants, and tenant 's2' was asked for" in result.stderr


def test_somebody_elses_item_is_no_query(run, shared):
    other = items_of(shared, tenant="s1")[0]
    result = run("search", other.id, "-i", shared, "--tenant", "s2", expect=1)
    assert "no item of index" in result.stderr


def test_what_looks_after_an_index_sees_all_of_it(run, shared, tmp_path):
    own = Path(shutil.copytree(shared, tmp_path / "own.index"))
    n_items = len(items_of(own))
    assert "kept apart by site" in run("index", "info", "-i", own).stdout
    assert json.loads(run("index", "info", "-i", own, "--json").stdout)["n_items"] == n_items
    run("index", "verify", "-i", own)
    run("index", "remove", items_of(own, tenant="s1")[0].id, "-i", own)
    run("index", "compact", "-i", own)
    assert len(items_of(own)) == n_items - 1
    run("search", items_of(own)[0].id, "-i", own, expect=2)


def test_a_search_by_case_takes_a_condition_and_a_tenant(run, index, shared):
    words = ["search", "g9", "--by", "case", "--case", "group", "-k", 100, "--json"]
    of_all = json.loads(run(*words, "-i", index).stdout)["hits"]
    of_views = json.loads(run(*words, "-i", index, "--where", "view = 'CC'").stdout)["hits"]
    assert len(of_all) > 0
    shown = {pair["metadata"]["view"] for hit in of_views for pair in hit["pairs"]}
    assert shown == {"CC"}
    assert "none was named" in run(*words, "-i", shared, expect=2).stderr
    of_tenant = json.loads(run(*words, "-i", shared, "--tenant", "s1").stdout)["hits"]
    assert {pair["metadata"]["site"] for hit in of_tenant for pair in hit["pairs"]} == {"s1"}
