"""A collection made anew takes over between two requests: no search fails, none finds less."""

from __future__ import annotations

import threading

from cbir.types import Query
from indexer import Index, IndexWriter


def test_searches_go_on_while_the_collection_is_made_anew(site):
    query = Query(site.rows[50], fingerprint_of(site))
    stop, answers, errors = threading.Event(), [], []
    with Index.open(site.path, server=site.connection) as index:
        expected = [(hit.item.id, hit.score) for hit in index.search(query, 10)]

        def ask() -> None:
            while not stop.is_set():
                try:
                    answers.append([(hit.item.id, hit.score) for hit in index.search(query, 10)])
                except Exception as error:  # noqa: BLE001  # whatever it is, it must not be
                    errors.append(error)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            with IndexWriter.open(site.path, server=site.connection) as writer:
                for _ in range(3):
                    before = set(site.double.collections.named)
                    writer.build_store(anew=True)
                    assert not before & set(site.double.collections.named)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert errors == []
    assert len(answers) > 4
    assert all(answer == expected for answer in answers)


def test_the_old_collection_and_what_a_killed_writer_left_are_dropped(site):
    from qdrant_client.http import models as m

    (name,) = site.double.collections.named
    mark = dict(site.double.collections.named[name].metadata)
    vectors = m.VectorParams(size=8, distance="Dot")
    for left, metadata in [("lesions-00000009-dead", mark), ("lesions-of-others", {})]:
        request = m.CreateCollection(vectors=vectors, metadata=metadata)
        site.double.collections.create(left, request)
    with IndexWriter.open(site.path, server=site.connection) as writer:
        writer.compact()
    assert len(site.double.collections.named) == 2
    assert "lesions-of-others" in site.double.collections.named
    assert site.double.collections.aliases["lesions"] not in {name, "lesions-00000009-dead"}


def fingerprint_of(site) -> str:
    with Index.open(site.path, store="exact") as index:
        return index.fingerprint
