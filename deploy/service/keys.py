"""Who may ask: random keys, of which a file keeps the hashes alone."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self, cast

from cbir.durable import write_text
from cbir.errors import SpecError

Scope = Literal["read", "write"]

_PREFIX = "cbir_"
_N_BYTES = 32
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what they may see.

    Args:
        id: of the key, for the audit; says nothing of the key itself.
        scope: write may change indexes, too.
        indexes: by name; None for all.
        tenant: whose items are shown, of indexes that keep tenants.
    """

    id: str
    scope: Scope = "read"
    indexes: frozenset[str] | None = None
    tenant: str | None = None

    def may_see(self, index: str) -> bool:
        """Whether the index is one of the caller's."""
        return self.indexes is None or index in self.indexes


@dataclass(frozen=True, slots=True)
class _Line:
    id: str
    sha256: str
    scope: Scope
    indexes: list[str] | None
    tenant: str | None
    created: str


class Keys:
    """The keys of a file, read anew when it changes; a key that is taken out of it opens nothing more."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            SpecError: it is not there, or is no file of keys.
        """
        self._path = path
        self._stamp = _stamp(path)
        self._lines = _read(path)

    def caller(self, token: str) -> Caller | None:
        """Whose key this is; None for nobody's. Takes as long for a wrong key as for a right one."""
        digest = _digest(token)
        found: _Line | None = None
        for line in self._lines:
            if hmac.compare_digest(line.sha256, digest):
                found = line
        if found is None:
            return None
        indexes = None if found.indexes is None else frozenset(found.indexes)
        return Caller(found.id, found.scope, indexes, found.tenant)

    def refresh(self) -> None:
        """Read the file again where it has changed.

        Raises:
            SpecError: it is gone, or is no file of keys: those known before stay.
        """
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._lines = _read(self._path)
            self._stamp = stamp

    def __len__(self) -> int:
        """How many there are."""
        return len(self._lines)


def new_key(
    path: Path, *, scope: Scope = "read", indexes: Collection[str] = (), tenant: str | None = None
) -> str:
    """Make a key, and keep its hash in a file, which is made where there is none.

    Args:
        path: of the file.
        scope: write may change indexes, too.
        indexes: names of those that it opens; none for all.
        tenant: whose items it shows, of indexes that keep tenants.

    Returns:
        The key; it is kept nowhere.

    Raises:
        SpecError: the file is there, and is no file of keys.
        OSError: it can't be written.
    """
    token = _PREFIX + secrets.token_urlsafe(_N_BYTES)
    line = _Line(
        id=secrets.token_hex(4),
        sha256=_digest(token),
        scope=scope,
        indexes=sorted(indexes) or None,
        tenant=tenant,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with _Alone(path.with_name(f".{path.name}.lock")):
        before = _read(path) if path.exists() else []
        document = {"cbir": "keys", "version": _VERSION, "keys": [asdict(each) for each in (*before, line)]}
        before_mask = os.umask(0o077)
        try:
            write_text(path, json.dumps(document, indent=1) + "\n")
        finally:
            os.umask(before_mask)
    return token


class _Alone:
    """One process at a time adds a key."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(path: Path) -> list[_Line]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["cbir"] != "keys" or document["version"] != _VERSION:
            raise ValueError("not a file of keys")  # noqa: TRY301 (one place says what is wrong)
        lines = [_Line(**cast("dict[str, object]", each)) for each in document["keys"]]  # type: ignore[arg-type]  # checked below
    except FileNotFoundError:
        raise SpecError(
            f"There is no file of keys {path}; make one: cbir serve key new --keys {path}"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SpecError(f"{path} can't be read as a file of keys: {error}") from error
    for line in lines:
        if line.scope not in {"read", "write"} or not isinstance(line.sha256, str):
            raise SpecError(f"{path} has a key {line.id!r} of scope {line.scope!r}; use read or write.")
    return lines
