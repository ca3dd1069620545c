"""Keys: hashes in a file, scopes, indexes, tenants; who has none is no stranger on loopback alone."""

from __future__ import annotations

import json
import stat

import pytest

from cbir.errors import SpecError
from deploy.service.keys import Keys, new_key
from deploy.service.settings import ServiceSettings
from indexer import Index


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def keys(tmp_path):
    return tmp_path / "keys.json"


def test_the_file_has_no_key_in_it_and_is_the_users_alone(keys):
    token = new_key(keys, scope="write", indexes=["lesions"], tenant="s1")
    assert token not in keys.read_text()
    assert len(token) >= 48
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    caller = Keys(keys).caller(token)
    assert (caller.scope, caller.indexes, caller.tenant) == ("write", {"lesions"}, "s1")


def test_a_wrong_key_is_nobodys(keys):
    token = new_key(keys)
    for wrong in ("", "x", token[:-1], token + "x", "ü", "\udc80"):
        assert Keys(keys).caller(wrong) is None


def test_a_key_that_is_taken_out_opens_nothing_more(keys):
    first, second = new_key(keys), new_key(keys)
    known = Keys(keys)
    document = json.loads(keys.read_text())
    document["keys"] = document["keys"][1:]
    keys.write_text(json.dumps(document))
    known.refresh()
    assert known.caller(first) is None
    assert known.caller(second) is not None


@pytest.mark.parametrize(
    "text", ["", "[]", '{"cbir": "keys"}', '{"cbir":"keys","version":1,"keys":[{"a":1}]}']
)
def test_a_file_that_is_none_of_keys_is_refused(keys, text):
    keys.write_text(text)
    with pytest.raises(SpecError, match=r"keys\.json can't be read as a file of keys"):
        Keys(keys)


@pytest.mark.parametrize("host", ["10.0.0.1", "::", "192.168.1.4", "example.org"])
def test_other_machines_need_keys(lesions, host):
    with pytest.raises(SpecError, match="anybody could ask"):
        ServiceSettings(indexes={"lesions": lesions}, host=host)


def test_with_keys_nobody_asks_without_one(served, lesions, keys):
    token = new_key(keys)
    client = served(ServiceSettings(indexes={"lesions": lesions}, keys=keys, host="10.0.0.1"))
    for headers in ({}, bearer("cbir_wrong"), {"Authorization": f"Basic {token}"}):
        for address in ("/v1/indexes", "/v1/indexes/lesions", "/v1/indexes/lesions/items/x", "/metrics"):
            answer = client.get(address, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
        assert client.post("/v1/indexes/lesions/search", json={}, headers=headers).status_code == 401
    assert client.get("/v1/indexes", headers=bearer(token)).status_code == 200
    assert client.get("/livez").status_code == client.get("/readyz").status_code == 200


def test_a_key_opens_its_indexes_alone(served, lesions, sites, keys):
    token = new_key(keys, indexes=["lesions"])
    client = served(ServiceSettings(indexes={"lesions": lesions, "sites": sites}, keys=keys))
    client.headers.update(bearer(token))
    assert [each["name"] for each in client.get("/v1/indexes").json()["indexes"]] == ["lesions"]
    assert client.get("/v1/indexes/lesions").status_code == 200
    assert client.get("/v1/indexes/sites").status_code == 404


def test_a_tenant_sees_its_own_items_on_every_route(served, sites, keys):
    token = new_key(keys, tenant="s1")
    with Index.open(sites) as whole:
        owner = {item.id: item.metadata["site"] for item in whole.items()}
    client = served(ServiceSettings(indexes={"sites": sites}, keys=keys))
    client.headers.update(bearer(token))
    mine = next(each for each, site in owner.items() if site == "s1")
    assert client.get("/v1/indexes/sites").json()["n_items"] == 4
    hits = client.post("/v1/indexes/sites/search", json={"item": mine, "k": 20}).json()["hits"]
    assert {owner[hit["item"]["id"]] for hit in hits} == {"s1"}
    for each, site in owner.items():
        expected = 200 if site == "s1" else 404
        assert client.get(f"/v1/indexes/sites/items/{each}").status_code == expected
        assert client.get(f"/v1/indexes/sites/items/{each}/thumbnail").status_code == expected
        for question in ({"item": each}, {"like": [each]}, {"item": mine, "unlike": [each]}):
            if question != {"item": mine, "unlike": [mine]}:
                assert client.post("/v1/indexes/sites/search", json=question).status_code == expected


def test_tenants_share_no_answers_and_one_memory(served, sites, keys):
    tokens = {site: new_key(keys, tenant=site) for site in ("s1", "s2")}
    client = served(ServiceSettings(indexes={"sites": sites}, keys=keys))
    counts = {
        site: client.get("/v1/indexes/sites", headers=bearer(token)).json()["columns"]
        for site, token in tokens.items()
    }
    assert counts["s1"] != counts["s2"]


def test_a_key_without_a_tenant_is_refused_by_an_index_that_keeps_tenants(served, sites, keys):
    token = new_key(keys)
    client = served(ServiceSettings(indexes={"sites": sites}, keys=keys))
    answer = client.get("/v1/indexes/sites", headers=bearer(token))
    assert answer.status_code == 403
    assert "tenant" in answer.json()["detail"]


def test_a_page_of_another_site_gets_no_answer_without_keys(client):
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
        assert client.get("/v1/indexes", headers=headers).status_code == 403
    assert client.get("/v1/indexes", headers={"Origin": "http://127.0.0.1"}).status_code == 200
