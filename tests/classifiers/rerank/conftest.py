"""A made gallery with a classifier attached, and the program run over it."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

for folder in ("indexer", "evaluation"):
    sys.path.insert(0, str(Path(__file__).parents[2] / folder))


@pytest.fixture
def cbir(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("CBIR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)

    from cli.app import app

    def run(*words: object, expect: int = 0):
        result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
        assert result.exit_code == expect, result.output
        return result

    return run


@pytest.fixture(scope="package")
def graded_template(tmp_path_factory) -> Path:
    """90 items of three labels, three a patient, in train and test; a classifier that is mostly right of 85.

    It learned from the first patient's three; nothing is known of the last five.
    """
    from indexes import N, build, clustered

    from classifiers.attached import AttachedSettings
    from indexer import Index, IndexWriter
    from indexer.attachments import ItemValues

    path = build(tmp_path_factory.mktemp("graded") / "graded.index", clustered(1.5, 2))
    settings = AttachedSettings("dal", "f" * 64, ("l0", "l1", "l2"), is_ordinal=False, label="label")
    with Index.open(path) as index:
        ids = {item.path: item.id for item in index.items()}
    rng = np.random.default_rng(3)
    logits = rng.standard_normal((N, 3)) + 2.5 * np.eye(3)[np.arange(N) % 3]
    posteriors = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    learned = (np.arange(N) < 3)[:, np.newaxis]
    values = np.hstack([posteriors, learned]).astype(np.float32)[: N - 5]
    with IndexWriter.open(path) as writer:
        said = ItemValues(settings.columns, [ids[f"/g/{n}"] for n in range(N - 5)], values)
        writer.attach("dal", settings=settings.to_dict(), values=said)
        writer.attach("notes", settings={"kind": "something else"})
        writer.attach("blended", settings=replace(settings, blend=0.0).to_dict(), values=said)
        writer.commit()
    return path


@pytest.fixture
def graded(graded_template, tmp_path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(graded_template, tmp_path / "graded.index"))


@pytest.fixture
def ids(graded_template) -> list[str]:
    """The id of item n."""
    from gallery import id_of

    from indexer import Index

    with Index.open(graded_template) as index:
        return [id_of(index, f"/g/{n}") for n in range(90)]
