"""Real mammograms, the real program: what whole images at 224 pixels show, and what they don't."""

from __future__ import annotations

import json
import os

import pytest
from typer.testing import CliRunner

from cli.app import app


@pytest.fixture(scope="module")
def measured(mini_mias, tmp_path_factory):
    """Evaluate one index of mini-MIAS by a column."""
    folder = tmp_path_factory.mktemp("mias")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("CBIR_") and name != "CBIR_TEST_DATA"]:
            patch.delenv(name)
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))

        def run(*words: object) -> str:
            result = CliRunner().invoke(app, [*map(str, words)], prog_name="cbir")
            assert result.exit_code == 0, result.output
            return result.stdout

        index = folder / "mias.index"
        run("index", "build", mini_mias / "images", "--labels", mini_mias / "labels.csv", "-o", index)
        yield lambda label, *more: json.loads(run("evaluate", "-i", index, "--label", label, *more, "--json"))


def test_density_is_visible_in_whole_mammograms(measured):
    found = measured("density_ordinal")
    precision = found["measures"]["precision"]["macro"]
    assert (found["n_queries"], found["n_groups"], found["ordinal"]) == (322, 161, True)
    assert precision["beats_both"]
    assert precision["value"] == pytest.approx(0.47, abs=0.03)
    assert precision["random"] == pytest.approx(0.3292, abs=5e-4)
    assert found["leak"]["delta"] > 0.01  # the other breast is as dense


def test_density_is_visible_by_case_in_both_breasts_of_a_woman(measured):
    found = measured("density_ordinal", "--by", "case")
    precision = found["measures"]["precision"]["macro"]
    assert (found["n_queries"], found["n_groups"], found["ordinal"]) == (161, 161, True)
    assert precision["beats_both"]
    assert precision["value"] == pytest.approx(0.483, abs=0.03)
    assert precision["random"] == pytest.approx(0.3292, abs=5e-4)
    assert found["leak"]["delta"] == 0  # the other breast is of the same case


def test_findings_are_not_and_it_is_said_so(measured):
    found = measured("label")
    assert not found["measures"]["precision"]["macro"]["beats_both"]
    assert any(each.startswith("no result: macro P@10") for each in found["verdicts"])
    assert found["measures"]["precision"]["micro"]["majority"] == pytest.approx(207 / 322)
