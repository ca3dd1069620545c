"""What docs/service.md tells a reader to type works."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from pictures import picture

from indexer import Index

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "service.md").read_text(encoding="utf-8")
CURLS = [
    line.replace("\\\n", " ")
    for block in re.findall(r"^```bash\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)
    for line in re.split(r"(?<!\\)\n", block)
    if line.startswith("curl ")
]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_request_of_the_page_is_answered(process, lesions, tmp_path):
    service = process("-i", lesions)
    (tmp_path / "query.png").write_bytes(picture(3))
    with Index.open(lesions) as index:
        item = next(index.items()).id
    assert len(CURLS) >= 6
    for line in CURLS:
        words = shlex.split(line.replace("http://127.0.0.1:8000", service.address).replace("ITEM", item))
        done = subprocess.run(
            [*words, "--noproxy", "*"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert set(json.loads(done.stdout)) & {"indexes", "hits", "columns"}, done.stdout


def test_every_route_is_on_the_page(client):
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in DOCS or path.lstrip("/") in DOCS


def test_every_field_of_a_question_is_on_the_page(client):
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    for name in {*schemas["ItemQuestion"]["properties"], *schemas["ImageQuestion"]["properties"]}:
        assert f"`{name}`" in DOCS
