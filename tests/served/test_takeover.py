"""A new index, by another extractor, gets the name of an old one: no query of the name fails in between."""

from __future__ import annotations

import threading

import pytest
from gallery import add, fill_model, id_of, spec_of, unit_rows
from qdrant_client import QdrantClient
from qdrant_client.http import models as m
from typer.testing import CliRunner

from cbir.errors import FingerprintError
from cbir.types import Query
from cli.app import app
from cli.exit_codes import exit_code
from indexer import Index, IndexWriter

N_ITEMS = 30


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


def publish(index, site, *more: str):
    where = ("--qdrant-url", site.double.url, "--qdrant-collection", "lesions")
    return run("index", "convert", "-i", index, "--store", "qdrant", *where, *more)


def made_by(extractor: str, path, dim: int = 8):
    """An index of files that the old one has, too."""
    with IndexWriter.create(path, spec_of(dim, name=extractor, weights="1" * 64), fill_model) as writer:
        for number, row in enumerate(unit_rows(N_ITEMS, dim, seed=9)):
            add(writer, f"/g/{number}", row)
        writer.commit()
        writer.build_store()
    return path


@pytest.fixture(params=[8, 12])
def other(request, memory):
    """By an extractor whose vectors are of the old one's dimension, or not."""
    return made_by("another", memory / "other.index", request.param)


def found(path, *, store=None) -> list[tuple[str, float]]:
    with Index.open(path, store=store) as index:
        return [(hit.item.id, hit.score) for hit in index.search(index.query(id_of(index, "/g/3")), 10)]


def test_another_extractor_is_refused_with_the_way_to_take_the_name_over(site, other):
    refused = publish(other, site)
    assert refused.exit_code == 5
    assert "convert --store qdrant --replace" in refused.output
    assert site.n_points() == 40


def test_no_query_of_the_name_fails_while_it_goes_over(site, other):
    stop, counts, errors = threading.Event(), set(), []

    def ask() -> None:
        client = QdrantClient(url=site.double.url, check_compatibility=False)
        while not stop.is_set():
            try:
                counts.add(client.count("lesions").count)
                page, _ = client.scroll("lesions", limit=100)
                counts.add(len(page))
            except Exception as error:  # noqa: BLE001  # whatever it is, it must not be
                errors.append(error)
        client.close()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        done = publish(other, site, "--replace")
    finally:
        stop.set()
        asking.join()
    assert done.exit_code == 0, done.output
    assert errors == []
    assert counts <= {40, N_ITEMS}
    assert site.n_points() == N_ITEMS  # in the one collection that is left
    assert found(other) == found(other, store="exact")


def test_readers_of_the_old_index_are_told_whether_open_or_not(site, other):
    with Index.open(site.path) as before:
        query = Query(site.rows[50], before.fingerprint)
        assert len(before.search(query, 10)) == 10
        assert publish(other, site, "--replace").exit_code == 0
        with pytest.raises(FingerprintError, match=r"'lesions'.*another extractor.*--store exact") as caught:
            before.search(query, 10)
        assert exit_code(caught.value) == 5
        item = id_of(before, "/g/3")
    told = run("search", item, "-i", site.path)
    assert told.exit_code == 5
    assert "another extractor" in told.output
    assert run("search", item, "-i", site.path, "--store", "exact").exit_code == 0
    assert run("index", "remove", item, "-i", site.path).exit_code == 5


def test_an_index_of_the_same_extractor_is_told_apart_in_an_open_reader_too(site, tmp_path):
    twin = tmp_path / "twin.index"
    with IndexWriter.create(twin, spec_of(8), fill_model) as writer:
        for number, row in enumerate(site.rows[:20]):
            add(writer, f"/g/{number}", row)
        writer.commit()
    with Index.open(site.path) as before:
        query = Query(site.rows[50], before.fingerprint)
        before.search(query, 10)
        assert publish(twin, site).exit_code == 7
        assert publish(twin, site, "--replace").exit_code == 0
        with pytest.raises(Exception, match="belongs to another index"):
            before.search(query, 10)


def test_the_old_index_may_take_its_name_back(site, other):
    before = found(site.path)
    assert publish(other, site, "--replace").exit_code == 0
    assert publish(site.path, site, "--replace").exit_code == 0
    assert found(site.path) == before
    assert site.n_points() == 40


@pytest.mark.parametrize(("request_line", "after"), [("/aliases", 0), ("PATCH", 0), ("DELETE", 0)])
def test_a_takeover_that_was_cut_off_is_finished_by_the_next_run(request_line, after, site, other):
    site.double.plan.add("full", f"{request_line}", times=-1, after=after)
    assert publish(other, site, "--replace").exit_code == 7
    site.double.plan.clear()
    assert publish(other, site, "--replace").exit_code == 0
    assert found(other) == found(other, store="exact")
    assert site.n_points() == N_ITEMS


def test_a_takeover_that_was_cut_off_after_it_was_published_is_finished_by_the_next_commit(site, other):
    site.double.plan.add("full", "DELETE", times=-1)
    assert publish(other, site, "--replace").exit_code == 7
    site.double.plan.clear()
    with Index.open(other) as index:
        item = id_of(index, "/g/5")
    assert run("index", "remove", item, "-i", other).exit_code == 0
    assert site.n_points() == N_ITEMS - 1


def test_what_cbir_did_not_write_is_never_taken_over(site, other, tmp_path):
    collection = next(iter(site.double.collections.named.values()))
    collection.metadata.clear()
    refused = publish(other, site, "--replace")
    assert refused.exit_code == 7
    assert "was not made by this version of cbir" in refused.output
    vectors = m.VectorParams(size=8, distance="Dot")
    site.double.collections.create("plain", m.CreateCollection(vectors=vectors))
    plain = ("--qdrant-url", site.double.url, "--qdrant-collection", "plain")
    assert run("index", "convert", "-i", other, "--store", "qdrant", *plain, "--replace").exit_code == 7
    assert "plain" in site.double.collections.named


def test_replace_needs_a_server(other):
    assert run("index", "convert", "-i", other, "--store", "qdrant", "--replace").exit_code == 2
    assert run("index", "convert", "-i", other, "--store", "exact", "--replace").exit_code == 2
