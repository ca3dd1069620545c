"""A study by other people's definitions: the group in and out, ours beside it, printed and as JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from made import items_of, search_in

from cbir.evaluation.definitions import DEFINITIONS, by_definition
from cbir.evaluation.protocol import rank_queries
from cbir.evaluation.summary import summarise
from cbir.evaluation.trec import judge
from cli.renderers.definition import definition_values, render_definition
from cli.renderers.judged import JudgedRun, render_judged, render_judged_json

LABELS = [f"l{number % 5}" for number in range(60)]
GROUPS = [f"p{number // 10}" for number in range(60)]
ITEMS = items_of(LABELS, GROUPS)


@pytest.fixture(scope="module", params=[10, 2])
def study(request):
    return rank_queries(ITEMS, search_in(ITEMS), request.param)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_measure_has_a_row_for_each_mean_its_authors_take(name, study):
    definition = DEFINITIONS[name]
    rows = by_definition(study, definition)
    assert definition.name == name
    assert len(rows) == sum(len(measure.means) for measure in definition.measures.values())
    for row in rows:
        if math.isnan(row.value):
            continue
        assert row.n_queries == 60
        assert 0 <= row.interval.low <= row.value <= row.interval.high <= 1
        assert f"@{study.k}" in row.name or row.name.startswith("ACC@")


@pytest.mark.parametrize("name", DEFINITIONS)
def test_values_are_the_means_over_fair_and_leaking_rankings(name, study):
    definition = DEFINITIONS[name]
    micro = {row.name: row for row in by_definition(study, definition) if row.mean == "micro"}
    for printed, measure in definition.measures.items():
        cut = measure.at or study.k
        row = micro[printed.replace("@k", f"@{study.k}")]
        if cut > study.k:
            assert math.isnan(row.value)
            assert math.isnan(row.with_group)
            assert (row.n_queries, row.interval) == (0, None)
            continue
        assert row.value == pytest.approx(np.mean([measure.value(each, cut) for each in study.rankings]))
        assert row.with_group == pytest.approx(np.mean([measure.value(each, cut) for each in study.leaking]))


def test_what_is_defined_as_ours_equals_ours(study):
    """TensorFlow Similarity's precision, recall and map differ from ours in name alone."""
    ours = summarise(study)
    found = {(row.name, row.mean): row for row in by_definition(study, DEFINITIONS["tfsim"])}
    k = study.k
    for mean in ("micro", "macro"):
        row = found[f"precision@{k}", mean]
        estimate = getattr(ours.rows["precision"], mean)
        assert row.value == row.ours == pytest.approx(estimate.value)
        assert row.interval == estimate.interval
        assert found[f"recall@{k}", mean].value == pytest.approx(getattr(ours.rows["hit"], mean).value)
    assert found[f"map@{k}", "micro"].value == pytest.approx(ours.rows["average_precision"].micro.value)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_text_has_every_number_and_what_differs(name, study):
    definition = DEFINITIONS[name]
    rows = by_definition(study, definition)
    text = render_definition(definition, rows)
    assert all(f"\n{row.name} " in text for row in rows)
    assert all(f"- {each}\n" in text for each in definition.differs)
    assert "with the query's group" in text
    assert definition.source in text


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_values_are_plain_json(name, study):
    definition = DEFINITIONS[name]
    values = definition_values(definition, by_definition(study, definition))
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert values["name"] == name


def test_the_same_seed_gives_the_same_rows(study):
    one, two = (by_definition(study, DEFINITIONS["dkfz"], seed=3) for _ in range(2))
    assert one == two


def judged_run(run=None) -> JudgedRun:
    qrels = {"one": {"a": 1, "b": 1}, "two": {"a": 1}}
    found = {"one": ("a", "x"), "two": ("x", "a")} if run is None else run
    return JudgedRun(Path("run.txt"), Path("qrels.txt"), 0, judge(found, qrels, 2), 0.5)


def test_a_judged_run_is_printed_with_its_queries():
    lines = render_judged(judged_run()).splitlines()
    assert lines[0].split() == ["run", "run.txt"]
    (precision,) = [line for line in lines if line.startswith("P@2")]
    assert precision.split() == ["P@2", "micro", "0.5000", "0.5000", "–", "0.5000", "2"]


def test_a_judged_run_as_json_has_null_where_nothing_applies():
    document = json.loads(render_judged_json(judged_run({"one": ("a",)})))
    assert (document["cbir"], document["n_queries"], document["n_missing"]) == ("judged run", 2, 1)
    assert document["measures"]["precision"]["micro"]["value"] == pytest.approx(0.25)
    assert document["measures"]["r_precision"] == {"micro": {"value": 0.0, "interval": None}, "n_queries": 1}
    assert document["notes"]
