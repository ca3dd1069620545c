"""Whatever goes wrong with a server: one line, exit code 7, and nothing that was acknowledged is lost."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest
from gallery import add, gallery, unit_rows

from cbir.errors import BackendError, FingerprintError
from cbir.types import Query
from cli.exit_codes import exit_code, explain
from indexer import Index, IndexWriter
from indexer.stores.qdrant.connection import QdrantConnection

FOR_EVER = -1
WRITES = [
    ("reset", {}, "can't be reached"),
    ("slow", {"delay_s": 1.2}, "did not answer within 1 s"),
    ("limited", {"retry_after_s": 60}, "limits how often"),
    ("failing", {}, "fails to write points: Service internal error"),
    ("unavailable", {}, "fails to write points: Service unavailable"),
    ("full", {}, "has no room left"),
    ("full_507", {}, "has no room left"),
    ("cut", {}, "can't be reached"),
    ("applied_then_reset", {}, "can't be reached"),
    ("swallowed", {}, r"has 40 points, the index 41 embeddings"),
]


def paths_found(path, connection=None, *, store=None) -> list[str]:
    with Index.open(path, store=store, server=connection) as index:
        query = Query(unit_rows(1, index.dim)[0], index.fingerprint)
        return [hit.item.path for hit in index.search(query, 100)]


def complaint(caught) -> str:
    """The one line that a person sees."""
    assert exit_code(caught.value) == 7
    line = explain(caught.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize(("kind", "more", "what"), WRITES)
def test_a_commit_that_the_server_does_not_take_is_not_published(kind, more, what, site):
    before = paths_found(site.path, site.connection)
    site.double.plan.add(kind, r"PUT .*/points$", times=FOR_EVER, **more)
    with IndexWriter.open(site.path, server=site.connection) as writer:
        add(writer, "/g/40", site.rows[40])
        with pytest.raises(BackendError, match=what) as caught:
            writer.commit()
    assert complaint(caught)
    site.double.plan.clear()
    assert paths_found(site.path, site.connection) == before == paths_found(site.path, store="exact")
    with IndexWriter.open(site.path, server=site.connection) as writer:  # run again to go on
        add(writer, "/g/40", site.rows[40])
        writer.commit()
    assert "/g/40" in paths_found(site.path, site.connection)
    assert site.n_points() == 41


@pytest.mark.parametrize("kind", ["reset", "failing", "limited", "cut", "applied_then_reset", "unavailable"])
def test_what_passes_is_tried_again(kind, site, no_pauses):
    site.double.plan.add(kind, r"PUT .*/points$", times=2)
    with IndexWriter.open(site.path, server=site.connection) as writer:
        add(writer, "/g/40", site.rows[40])
        writer.commit()
    assert no_pauses
    assert site.n_points() == 41
    assert len(paths_found(site.path, site.connection)) == 41


def test_the_server_says_when_to_come_back(site, no_pauses):
    patient = QdrantConnection(site.connection.url, collection="lesions", patience_s=60)
    site.double.plan.add("limited", r"PUT .*/points$", retry_after_s=7)
    with IndexWriter.open(site.path, server=patient) as writer:
        add(writer, "/g/40", site.rows[40])
        writer.commit()
    assert no_pauses == [7.0]


@pytest.mark.parametrize(
    ("kind", "is_tried_again"), [("full", False), ("full_507", False), ("failing", True)]
)
def test_only_what_may_pass_is_tried_again(kind, is_tried_again, site):
    site.double.plan.clear()
    site.double.plan.add(kind, r"PUT .*/points$", times=FOR_EVER)
    with IndexWriter.open(site.path, server=site.connection) as writer:
        add(writer, "/g/40", site.rows[40])
        with pytest.raises(BackendError):
            writer.commit()
    assert (site.double.plan.n_seen(r"PUT .*/points$") > 1) is is_tried_again


@pytest.mark.parametrize("request_line", ["PATCH", "/count", "/delete"])
def test_a_commit_cut_off_at_any_step_is_mended_by_the_next(request_line, site):
    for after in range(2):
        site.double.plan.clear()
        site.double.plan.add("failing", request_line, times=FOR_EVER, after=after)
        with IndexWriter.open(site.path, server=site.connection) as writer:
            add(writer, f"/h/{after}", site.rows[41 + after])
            writer.remove_paths([f"/g/{after}"])
            writer.update_annotations("/g/9", label=f"new{after}", group=None, metadata={})
            with contextlib.suppress(BackendError):
                writer.commit()
        site.double.plan.clear()
        assert sorted(paths_found(site.path, site.connection)) == sorted(
            paths_found(site.path, store="exact")
        )
    with IndexWriter.open(site.path, server=site.connection) as writer:
        writer.build_store()
    with Index.open(site.path) as index:
        assert site.n_points() == len(index)
    assert paths_found(site.path, site.connection) == paths_found(site.path, store="exact")


def test_a_search_without_the_server_says_how_to_search_without_it(site):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(BackendError, match=r"can't be reached.*--store exact") as caught:
        paths_found(site.path, QdrantConnection(nobody, patience_s=0.2))
    assert complaint(caught)
    assert len(paths_found(site.path, store="exact")) == 40


@pytest.mark.parametrize(
    ("kind", "more", "what"),
    [
        ("slow", {"delay_s": 1.2}, "did not answer"),
        ("failing", {}, "fails to search"),
        ("cut", {}, "reached"),
    ],
)
def test_a_search_that_fails_is_one_line(kind, more, what, site):
    site.double.plan.add(kind, "query", times=FOR_EVER, **more)
    with pytest.raises(BackendError, match=what) as caught:
        paths_found(site.path, site.connection)
    assert "--store exact" in complaint(caught)


def test_a_search_outlives_a_fault_that_passes(site):
    site.double.plan.add("reset", "query")
    assert len(paths_found(site.path, site.connection)) == 40


def test_no_more_time_is_spent_than_allowed(site):
    site.double.plan.add("failing", r"PUT .*/points$", times=FOR_EVER)
    started = time.monotonic()
    with IndexWriter.open(site.path, server=site.connection) as writer:
        add(writer, "/g/40", site.rows[40])
        with pytest.raises(BackendError):
            writer.commit()
    assert time.monotonic() - started < 5


def test_a_collection_that_is_gone_is_named(site):
    site.double.collections.delete(next(iter(site.double.collections.named)))
    with pytest.raises(BackendError, match=r"no collection 'lesions' on http.*rebuild.*--store exact"):
        paths_found(site.path, site.connection)


def test_a_collection_that_lost_points_is_told_with_both_numbers(site):
    from qdrant_edge import UpdateOperation

    collection = next(iter(site.double.collections.named.values()))
    some = [str(each.id) for each in collection.scroll(_page(3)).points]
    collection.update(UpdateOperation.delete_points(some))
    with pytest.raises(BackendError, match="has 37 points, the index 40 embeddings"):
        paths_found(site.path, site.connection)


@pytest.mark.parametrize(("dim", "distance", "what"), [(5, "Dot", "5 numbers"), (8, "Euclid", "Euclid")])
def test_a_collection_of_other_vectors_is_refused(dim, distance, what, site):
    from qdrant_client.http import models as m

    name, old = next(iter(site.double.collections.named.items()))
    site.double.collections.delete(name)
    site.double.collections.create(
        name, m.CreateCollection(vectors=m.VectorParams(size=dim, distance=distance), metadata=old.metadata)
    )
    site.double.collections.aliases["lesions"] = name
    with pytest.raises(BackendError, match=f"{what}.*the index has 8 compared by Dot"):
        paths_found(site.path, site.connection)


def test_a_collection_of_another_extractor_is_refused_with_its_own_code(site):
    collection = next(iter(site.double.collections.named.values()))
    collection.metadata["fingerprint"] = "e" * 64
    with pytest.raises(FingerprintError, match="another extractor") as caught:
        paths_found(site.path, site.connection)
    assert exit_code(caught.value) == 5


def test_the_collection_of_another_index_is_left_alone(site, tmp_path):
    other = gallery(tmp_path / "other.index", site.rows[:10])
    with (
        IndexWriter.open(other, server=site.connection) as writer,
        pytest.raises(BackendError, match="belongs to another index"),
    ):
        writer.build_store("qdrant")
    assert site.n_points() == 40


def test_what_is_no_qdrant_is_told_so(double, tmp_path):
    double.version = "nginx"
    other = gallery(tmp_path / "other.index", unit_rows(3, 8))
    with (
        IndexWriter.open(other, server=QdrantConnection(double.url)) as writer,
        pytest.raises(BackendError, match="is version nginx"),
    ):
        writer.build_store("qdrant")


def _page(limit):
    from qdrant_client.http import models as m

    return m.ScrollRequest(limit=limit)
