"""The secret that keys the hashes of patient ids; it never gets near an index."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from cbir.errors import CbirError
from cli.folders import config_folder
from cli.terminal import note


def key_file() -> Path:
    """Where the key of this user is kept."""
    return config_folder() / "patient.key"


def read_key(secret: str | None) -> bytes | None:
    """The key, from the setting or else the user's key file; None when there is neither.

    Args:
        secret: the setting `patient_key`; the text of a key file means the same key.

    Raises:
        CbirError: the key file can't be read.
    """
    if secret:
        return _derived(secret)
    try:
        return _derived(key_file().read_text(encoding="ascii"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no key in it"
        raise CbirError(
            f"Patient key {key_file()} can't be read ({reason}). Mend it, or set CBIR_PATIENT_KEY."
        ) from error


def read_or_make_key(secret: str | None) -> bytes:
    """The key as ``read_key`` finds it; without one, a new random one in a file of the user alone.

    Raises:
        CbirError: the file can't be read or made.
    """
    if key := read_key(secret):
        return key
    path = key_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:  # another process was quicker
        return read_or_make_key(None)
    except OSError as error:
        reason = error.strerror
        raise CbirError(
            f"Patient key {path} can't be made ({reason}). Set CBIR_PATIENT_KEY to a secret."
        ) from error
    note(f"Made {path}: it keys the hashes of patient ids. Keep it; groups of other indexes depend on it.")
    return _derived(path.read_text(encoding="ascii"))


def _derived(secret: str) -> bytes:
    if not secret.strip():
        raise ValueError("empty")
    return hashlib.sha256(secret.strip().encode("utf-8", "surrogateescape")).digest()
