"""A tenant is shown its own items by every method, and nothing of anybody else's."""

from __future__ import annotations

from pathlib import Path

import pytest
from galleries import mixed
from gallery import add, fill_model, id_of, spec_of, unit_rows

from cbir.errors import SpecError, TenantError
from cbir.items.where import parse_where
from cbir.types import Item, Query
from indexer import STORES, Index, IndexWriter
from indexer.asking.tenants import remember_tenant_column

SHOWS_NO_ITEM = {
    *("open", "close", "path", "spec", "fingerprint", "generation", "dim", "model_dir"),
    *("tenant", "tenant_column", "for_tenant", "verify"),
}
SHOWS_ITS_ITEMS = {
    *("search", "search_many", "query", "item", "items", "items_by_content", "thumbnail", "notes"),
    *("contents", "attachments", "attachment"),
    *("labels", "files", "skipped", "memo", "info", "columns", "items_that_share", "values"),
}


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return mixed(tmp_path_factory.mktemp("tenants") / "shared.index", tenant="site", store="faiss")


@pytest.fixture(scope="module")
def whole(path):
    with Index.open(path, resident=False) as opened:
        yield opened


@pytest.fixture(params=[*sorted(STORES), "one-shot"])
def index(path, request):
    resident = request.param != "one-shot"
    with Index.open(
        path, store=request.param if resident else None, resident=resident, tenant="s2"
    ) as opened:
        yield opened


def mine(whole: Index, name: str = "s2") -> list[Item]:
    return [item for item in whole.items() if item.metadata.get("site") == name]


def test_every_method_of_an_index_is_thought_of_here():
    public = {name for name in vars(Index) if not name.startswith("_")}
    assert public == SHOWS_NO_ITEM | SHOWS_ITS_ITEMS


def test_the_contents_of_others_are_not_told(index, whole):
    everybody = [item.id for item in whole.items()]
    assert set(index.contents(everybody)) == {item.id for item in mine(whole)}


def test_a_tenants_view_of_an_open_index_answers_as_the_tenants_own(path, index):
    with Index.open(path) as opened:
        view = opened.for_tenant("s2")
        assert (len(view), view.tenant, list(view.items())) == (len(index), "s2", list(index.items()))
        for vector in unit_rows(3, index.dim, 5):
            query = Query(vector, index.fingerprint)
            found, expected = view.search(query, 1000), index.search(query, 1000)
            assert [hit.item for hit in found] == [hit.item for hit in expected]


def test_a_search_finds_the_tenants_items_alone(index, whole):
    own = {item.id for item in mine(whole)}
    for vector in unit_rows(3, index.dim, 5):
        query = Query(vector, index.fingerprint)
        assert {hit.item.id for hit in index.search(query, 1000)} == own
        assert len(index.search(query, 5)) == 5
        fit = parse_where("view = 'MLO'")
        found = index.search_many([query, query], 1000, where=fit)[1]
        assert {hit.item.id for hit in found} == {
            item.id for item in mine(whole) if item.metadata["view"] == "MLO"
        }
        others = frozenset(item.id for item in mine(whole, "s1"))
        assert index.search(query, 1000, among=others) == []
        assert index.search(query, 1000, where=parse_where("site = 's2'")) == index.search(query, 1000)


def test_a_tenant_can_not_widen_its_view_by_a_condition(index):
    query = Query(unit_rows(1, index.dim)[0], index.fingerprint)
    for text in ("site = 's2' or site = 's2'", "label = 'l1' or not label = 'l1'", "site is not null"):
        assert {hit.item.metadata["site"] for hit in index.search(query, 1000, where=parse_where(text))} == {
            "s2"
        }
    assert index.search(query, 9, where=parse_where("site in ('s1', 's3') or site is null")) == []


def test_a_copy_that_is_somebody_elses_is_not_named(index, whole):
    # /g/26 of s2 has the bytes of /g/25, which is of s1.
    copy = index.query(id_of(whole, "/g/26"))
    paths = [hit.item.path for hit in index.search(Query(copy.embedding, index.fingerprint), 3)]
    assert paths[0] == "/g/26"
    assert "/g/25" not in paths
    sha256 = next(file.sha256 for file in whole.files() if file.path == "/g/26")
    assert [item.path for item in whole.items_by_content(sha256)] == ["/g/25", "/g/26"]
    assert [item.path for item in index.items_by_content(sha256)] == ["/g/26"]
    pairs = [{whole.item(each).path for each in ids} for ids in whole.items_that_share("bytes")]
    assert {"/g/25", "/g/26"} in pairs
    assert index.items_that_share("bytes") == []


def test_items_files_labels_and_columns_are_the_tenants(index, whole):
    own = mine(whole)
    assert list(index.items()) == own
    assert len(index) == len(own)
    assert [file.path for file in index.files()] == sorted(item.path for item in own)
    assert list(index.skipped()) == []
    labels = [item.label for item in own]
    assert index.labels() == {label: labels.count(label) for label in sorted(set(labels))}
    columns = {each.name: each for each in index.columns()}
    assert columns["site"].most == (("s2", len(own)),)
    assert columns["id"].n_values == len(own)
    ids, sites = index.values(["id", "site"])
    assert ids.values == tuple(item.id for item in own)
    assert sites.values == ("s2",)
    assert set(columns) <= {each.name for each in whole.columns()}
    assert index.memo("sources") is None
    assert index.memo("tenant_column") == "site"


def test_the_numbers_are_the_tenants(index, whole):
    own = mine(whole)
    info = index.info()
    heads = {whole._catalog.item(item.id)[1] for item in own}
    assert info.n_items == len(own)
    assert info.n_rows == sum(len(whole._catalog.parts_of(head)) for head in heads)
    assert info.n_dead_rows == 0
    assert sum(info.n_labels.values()) == len(own)
    assert sum(info.n_files.values()) == len(own)


@pytest.mark.parametrize("of", [Index.item, Index.query, Index.thumbnail, Index.notes])
def test_anybody_elses_item_is_not_there(index, whole, of):
    own, nobodys = mine(whole), [item for item in whole.items() if "site" not in item.metadata]
    of(index, own[0].id)
    for other in (mine(whole, "s1")[0], nobodys[0]):
        with pytest.raises(KeyError):
            of(index, other.id)


def test_items_without_a_tenant_are_seen_by_none(path, whole):
    seen = set()
    for name in ("s0", "s1", "s2", "s3"):
        with Index.open(path, resident=False, tenant=name) as opened:
            seen |= {item.id for item in opened.items()}
    nobodys = {item.id for item in whole.items() if "site" not in item.metadata}
    assert nobodys
    assert seen == {item.id for item in whole.items()} - nobodys


def test_a_tenant_without_items_sees_nothing(path):
    with Index.open(path, resident=False, tenant="S2") as opened:
        assert len(opened) == 0
        assert opened.search(Query(unit_rows(1, opened.dim)[0], opened.fingerprint), 5) == []


def test_a_tenant_may_be_named_by_a_number(tmp_path):
    path = tmp_path / "numbered.index"
    with IndexWriter.create(path, spec_of(8), fill_model) as writer:
        for number, row in enumerate(unit_rows(6, 8)):
            add(writer, f"/g/{number}", row, metadata={"site": (7, "7", 8)[number % 3]})
        remember_tenant_column(writer, "site")
        writer.commit()
    with Index.open(path, resident=False, tenant="7") as opened:
        hits = opened.search(Query(unit_rows(1, 8)[0], opened.fingerprint), 9)
        assert sorted(hit.item.path for hit in hits) == ["/g/0", "/g/1", "/g/3", "/g/4"]


def test_an_index_of_tenants_is_searched_for_somebody(path, whole):
    with pytest.raises(TenantError, match="column 'site', and none was named"):
        whole.search(Query(unit_rows(1, whole.dim)[0], whole.fingerprint), 5)
    with pytest.raises(TenantError, match="keeps no tenants, and tenant 's2' was asked for"):
        Index.open(mixed(path.parent / "plain.index"), tenant="s2")


def test_what_keeps_tenants_apart_does_not_change(path):
    with IndexWriter.open(path) as writer:
        remember_tenant_column(writer, "site")
        with pytest.raises(SpecError, match="by column 'site', now 'view' was asked for"):
            remember_tenant_column(writer, "view")
        assert writer.n_items_without("site") == 7
