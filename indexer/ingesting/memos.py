"""What an index remembers of its runs: sources, admission, the patient key."""

from __future__ import annotations

from dataclasses import asdict
from hashlib import blake2b
from typing import TYPE_CHECKING

from cbir.errors import SpecError
from cbir.images.settings import ReadPolicy
from indexer.ingesting.account import SourceList

if TYPE_CHECKING:
    from indexer.index import Index
    from indexer.writer import IndexWriter

SOURCES = "sources"
_POLICY, _KEY = "policy", "hash_key_check"


def remembered_sources(index: Index | IndexWriter) -> list[SourceList]:
    """Where the items of an index come from."""
    memo = index.memo(SOURCES)
    lists = memo if isinstance(memo, list) else []
    return [SourceList.from_dict(each) for each in lists if isinstance(each, dict)]


def remember_sources(writer: IndexWriter, sources: SourceList) -> None:
    """Remember one more."""
    remembered = remembered_sources(writer)
    if sources not in remembered:
        writer.set_memo(SOURCES, [each.to_dict() for each in (*remembered, sources)])


def remembered_policy(index: Index | IndexWriter) -> ReadPolicy:
    """Which files the last run admitted; the default before the first."""
    memo = index.memo(_POLICY)
    return ReadPolicy(**memo) if isinstance(memo, dict) else ReadPolicy()  # type: ignore[arg-type]  # checked there


def remember_policy(writer: IndexWriter, policy: ReadPolicy) -> None:
    """Remember it for the next run."""
    if policy != remembered_policy(writer):
        writer.set_memo(_POLICY, asdict(policy))


def check_hash_key(index: Index | IndexWriter, key: bytes | None) -> None:
    """Refuse a key that is not the one which made the index's groups: its hashes would never match.

    Args:
        index: may remember no key.
        key: None hashes nothing, and is fine.

    Raises:
        SpecError: another key.
    """
    remembered = index.memo(_KEY)
    if key is not None and remembered not in (None, _mark(key)):
        raise SpecError(
            f"The patient key (mark {_mark(key)}) is not the one that index {index.path} was made with (mark "
            f"{remembered}): its patients would not be recognised. Set CBIR_PATIENT_KEY to that key."
        )


def remember_hash_key(writer: IndexWriter, key: bytes | None) -> None:
    """Remember by which key the groups are hashed: a mark that does not give the key away."""
    if key is not None and writer.memo(_KEY) is None:
        writer.set_memo(_KEY, _mark(key))


def _mark(key: bytes) -> str:
    return blake2b(b"cbir patient key", key=key, digest_size=4).hexdigest()
