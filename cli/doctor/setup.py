"""The set-up: cbir.toml, CBIR_* variables, the patient key, offline or not, the index."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import replace

from cbir.errors import CbirError, IndexMissingError
from cbir.nearest import nearest
from cli.doctor.finding import Finding
from cli.folders import config_folder
from cli.patient_key import key_file, read_key
from cli.settings import NOT_SETTINGS, Settings, setting_names, settings_file

_OTHERS = 0o077


def setup_findings(settings: Settings) -> Iterator[Finding]:
    """Look at what this user has set."""
    found = settings_file()
    yield Finding("cbir.toml", "ok", str(found) if found else f"none here or in {config_folder()}")
    yield from _variables()
    yield _patient_key(settings)
    yield _offline(settings)
    yield from _qdrant(settings)
    yield _index(settings)


def _variables() -> Iterator[Finding]:
    known = [f"CBIR_{name.upper()}" for name in setting_names()]
    given = sorted(name for name in os.environ if name.startswith("CBIR_"))
    for name in given:
        if name not in known and name not in NOT_SETTINGS:
            hint = nearest(name, known)
            yield Finding("environment", "warn", f"{name} sets nothing", hint[0].upper() + hint[1:])
    yield Finding(
        "environment", "ok", ", ".join(name for name in given if name in known) or "no CBIR_* variable"
    )


def _patient_key(settings: Settings) -> Finding:
    if settings.patient_key:
        return Finding("patient key", "ok", "from the settings")
    try:
        if read_key(None) is None:
            return Finding("patient key", "ok", f"none yet: the first build makes {key_file()}")
        mode = stat.S_IMODE(key_file().stat().st_mode)
    except (CbirError, OSError) as error:
        return Finding("patient key", "fail", str(error), f"Mend {key_file()}, or set CBIR_PATIENT_KEY.")
    if mode & _OTHERS:
        return Finding(
            "patient key", "warn", f"{key_file()} can be read by others", f"chmod 600 {key_file()}"
        )
    return Finding("patient key", "ok", str(key_file()))


def _offline(settings: Settings) -> Finding:
    if settings.offline or os.environ.get("HF_HUB_OFFLINE"):
        return Finding("network", "ok", "offline: weights come from local files only")
    return Finding(
        "network", "ok", "used only to fetch weights of presets other than quick; --offline forbids it"
    )


def _qdrant(settings: Settings) -> Iterator[Finding]:
    """Ask the server for its version, and whether it takes the key; nothing where none is set."""
    from cli.qdrant import server_of

    try:
        connection = server_of(settings)
        if connection is None:
            return
        from indexer.stores.qdrant.server import connect

        server = connect(replace(connection, patience_s=0.0))
        try:
            version, n_collections = server.check_version(), len(server.names(""))
        finally:
            server.close()
    except CbirError as error:
        yield Finding("qdrant", "fail", str(error), "Until then: cbir search --store exact.")
    else:
        yield Finding("qdrant", "ok", f"{connection.url}: version {version}, {n_collections} collections")


def _index(settings: Settings) -> Finding:
    from cli.opening import look_at_index

    try:
        with look_at_index(settings) as index:
            return Finding(
                "index", "ok", f"{settings.index}: {len(index)} items, generation {index.generation}"
            )
    except IndexMissingError:
        return Finding("index", "ok", f"none at {settings.index} yet: cbir index build FOLDER makes it")
    except CbirError as error:
        return Finding("index", "fail", str(error), "Build it again, or restore a copy.")
