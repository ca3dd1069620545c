from __future__ import annotations

import json


def test_an_index_is_built_for_tenants_and_stays_so(run, gallery, tiny_model, tmp_path):
    labels, own = gallery.parent / "labels.csv", tmp_path / "own.index"
    words = ["index", "build", gallery, "--labels", labels, "-o", own, "--workers", 2]
    words += ["--extractor", tiny_model / "tiny.toml"]
    built = run(*words, "--tenant", "view", expect=3)
    assert "note: items without a value of the tenant column 'view', which no tenant sees: 3" in built.stderr
    query = gallery / "two.png"
    found = json.loads(run("search", query, "-i", own, "--tenant", "CC", "--json").stdout)
    assert {hit["metadata"]["view"] for hit in found["hits"]} == {"CC"}
    assert len(found["hits"]) == found["index"]["items"] == 3
    run("index", "update", "-i", own, expect=3)
    assert "none was named" in run("search", query, "-i", own, expect=2).stderr
    refused = run(*words, "--tenant", "side", expect=1)
    assert "keeps its tenants apart by column 'view', now 'side' was asked for" in refused.stderr
    assert json.loads(run("index", "info", "-i", own, "--json").stdout)["tenant_column"] == "view"
