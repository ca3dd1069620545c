"""What docs/refinement.md tells a reader to write works, and says the defaults."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from indexer.refine import REFINEMENTS, parse_grid, parse_refinements, wording

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "refinement.md").read_text(encoding="utf-8")
COMMANDS = [line.partition("#")[0].strip() for line in DOCS.splitlines() if line.startswith("cbir ")]
SMALLER = {
    "split=val": "split=test",
    "density": "birads",
    "32": "8",
    "expand:k=1/3/5/10,alpha=0/1/3": "expand:k=1/3,alpha=0",
    "reciprocal": "reciprocal:k1=10,k2=1,lambda=.3",
}
"""What stands for a word here."""


@pytest.mark.parametrize("command", [each for each in COMMANDS if "--refine" in each])
def test_every_refinement_is_read(command):
    words = shlex.split(command)
    said = [words[place + 1] for place, word in enumerate(words) if word == "--refine"]
    assert (parse_grid if " tune " in command else parse_refinements)(said)


@pytest.mark.parametrize(
    "command", [each for each in COMMANDS if re.match(r"cbir (evaluate|index (tune|whiten)) -i [lw]", each)]
)
def test_every_command_over_an_index_runs(cbir, good, command):
    words = [SMALLER.get(word, word) for word in shlex.split(command)[1:]]
    if words[:3] == ["evaluate", "-i", "white.index"]:
        cbir("index", "whiten", "-i", good, "-o", "white.index", "--items", "split=train", "--dim", 8)
    cbir(*(good if word == "lesions.index" else word for word in words))


@pytest.mark.parametrize("name", REFINEMENTS)
def test_the_defaults_are_those_of_the_program(name):
    (row,) = [line for line in DOCS.splitlines() if line.startswith(f"| `{name}` |") and "`k" in line]
    said = re.findall(r"`(\w+=[\d.]+)`", row.rsplit("|", 2)[1])
    assert f"{name}:{','.join(said)}" == wording(REFINEMENTS[name]())
