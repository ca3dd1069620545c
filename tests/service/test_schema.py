"""Whatever is asked, the answer is one that the schema tells of: schemathesis, all checks, keys on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.service.keys import new_key
from indexer import Index

CONFIG = """
[parameters]
"path.index" = "lesions"
"path.item" = "{item}"

# A question may be well-formed, and still ask for a column that is not there, or send what is no image.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "422"]
"""


def checked(service, token: str, folder: Path, *words: object) -> str:
    command = [Path(sys.executable).with_name("schemathesis"), "--config-file", "schemathesis.toml", "run"]
    command += [f"{service.address}/openapi.json", "--checks", "all", "--seed", "1", "--no-color", *words]
    command += ["--header", f"Authorization: Bearer {token}"]
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def run_checks(process, lesions, tmp_path):
    with Index.open(lesions) as index:
        item = next(index.items()).id
    (tmp_path / "schemathesis.toml").write_text(CONFIG.format(item=item))
    token = new_key(tmp_path / "keys.json")
    service = process("-i", lesions, "--keys", tmp_path / "keys.json")

    def run(*words: object) -> str:
        said = checked(service, token, tmp_path, *words)
        assert '"event": "failed"' not in service.log()
        return said

    return run


def test_25_examples_an_operation_find_no_server_error_and_no_mismatch(run_checks):
    assert "Tested: 9" in run_checks("-n", 25, "--phases", "examples,coverage,fuzzing")


@pytest.mark.soak
def test_100_examples_an_operation_and_their_sequences_do_neither(run_checks):
    assert "Tested: 9" in run_checks("-n", 100)
