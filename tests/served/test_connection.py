"""What a connection refuses before anything is sent, and what it never says."""

from __future__ import annotations

import pytest

from cbir.errors import BackendError, SpecError
from indexer.stores.qdrant.connection import CollectionOptions, QdrantConnection
from indexer.stores.qdrant.server import connect


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("qdrant.example:6333", "write http://"),
        ("ftp://qdrant.example", "write http://"),
        ("http://", "write http://"),
        ("http://host:port", "makes no sense"),
        ("https://me:secret@host", "carries a user or password"),
    ],
)
def test_a_url_that_can_t_work_is_refused_without_repeating_secrets(url, what):
    with pytest.raises(SpecError, match=what) as caught:
        QdrantConnection(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://localhost:6333", "http://127.0.0.1", "http://[::1]:6333", "https://q.example"]
)
def test_a_key_goes_to_this_machine_or_over_tls(url):
    assert QdrantConnection(url, api_key="k").api_key == "k"


def test_a_key_does_not_go_unencrypted_to_another_machine():
    with pytest.raises(SpecError, match="unencrypted"):
        QdrantConnection("http://q.example:6333", api_key="very-secret")
    assert QdrantConnection("http://q.example:6333", api_key="very-secret", insecure_key=True)


def test_the_key_is_not_shown():
    assert "very-secret" not in repr(QdrantConnection("https://q.example", api_key="very-secret"))


def test_a_thumbnail_address_needs_a_place_for_the_item():
    with pytest.raises(SpecError, match="no place for the item"):
        QdrantConnection("http://localhost", thumbnail_url="https://pictures.example/all.jpg")


@pytest.mark.parametrize("wrong", [{"shards": 0}, {"replicas": 0}, {"write_consistency": 2}])
def test_collections_that_no_server_would_make_are_refused(wrong):
    with pytest.raises(SpecError):
        CollectionOptions(**wrong)


def test_an_authority_that_can_t_be_read_is_refused(tmp_path):
    connection = QdrantConnection("https://localhost:1", ca_file=tmp_path / "none.pem")
    with pytest.raises(SpecError, match=r"none\.pem"):
        connect(connection)


def test_a_server_that_is_too_old_is_refused_with_the_least_version(double, connection):
    double.version = "1.1.0"
    with pytest.raises(BackendError, match=r"version 1\.1\.0, 1\.16\.0 is the least"):
        connect(connection)


def test_keys_are_checked_by_the_server():
    from qdrant_double import QdrantDouble

    with QdrantDouble(api_key="right", read_only_key="looks") as double:
        url = double.url
        for key, what in [(None, "does not accept the API key"), ("wrong", "does not accept the API key")]:
            server = connect(QdrantConnection(url, api_key=key))
            with pytest.raises(BackendError, match=what):
                server.names("")
            server.close()
        reader = connect(QdrantConnection(url, api_key="looks"))
        assert reader.names("") == []
        with pytest.raises(BackendError, match=r"does not let this API key make a collection"):
            reader.create("a", 4, 1, {})
        reader.close()
