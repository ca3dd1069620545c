"""What can be set, and where a setting comes from: flag > CBIR_* > cbir.toml > default."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import UnionType
from typing import Literal, get_args, get_origin, get_type_hints

from cbir.errors import SpecError
from cbir.images.settings import DecodeLimits, FramesPolicy, ReadOrSkip, ReadPolicy, WarnOrSkip
from cbir.nearest import nearest
from cli.exit_codes import UsageProblem
from cli.folders import config_folder

Device = Literal["auto", "cpu", "cuda"]
Quantisation = Literal["auto", "none", "int8"]
StoreKind = Literal["faiss", "qdrant", "exact"]

_LIMITS = DecodeLimits()
_ENVIRONMENT_ALONE = frozenset({"dicomweb_user", "dicomweb_password", "dicomweb_token"})
_WORDS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}
NOT_SETTINGS = frozenset({"CBIR_DEBUG", "CBIR_TEST_DATA"})
"""Environment variables that belong to the program, but set nothing here."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that flags, CBIR_* variables and cbir.toml can set; the names are those of cbir.toml.

    Args:
        index: the index directory.
        extractor: a preset, or the .toml file of an own extractor.
        weights: a local weights file in place of the preset's.
        store: what finds neighbours.
        device: where `index build` runs the network and FAISS builds; auto takes a GPU when there is one.
        workers: decoding processes; None for one a core.
        timeout_s: seconds one file may take to decode.
        memory_mb: memory one file may take to decode.
        max_pixel_mb: size of a file's pixels, as it declares them.
        max_file_mb: size of a file.
        frames: which frames of a file with several; None as the extractor says.
        for_processing: raw detector images; None, as with the two below, as the index's last run, else read.
        secondary_capture: screenshots and scans.
        burned_in: images that say they have text burned in.
        allow_pickle: accept weights in a pickle file.
        offline: never open a connection.
        tenant: whose items `search` and `evaluate` see of an index that keeps tenants.
        patient_key: the secret that keys the hashes of patient ids; None takes the user's key file.
        qdrant_url: of a Qdrant server; with it, and no store named, `index build` keeps the store there.
        qdrant_api_key: the secret that the server asks for.
        qdrant_collection: the name on the server; None for one of the index's own.
        qdrant_grpc_port: talk gRPC there; None for REST.
        qdrant_timeout_s: seconds one request may take.
        qdrant_ca_file: certificates that the server's is checked against; None for the system's.
        qdrant_insecure_key: send the key over plain HTTP to another machine.
        qdrant_thumbnail_url: where pictures are served, {id} for the item's; Qdrant's page shows them.
        qdrant_shards: of a new collection; None as the server likes.
        qdrant_replicas: of each shard.
        qdrant_write_consistency: how many of them a write waits for.
        qdrant_quantisation: what is searched first; auto is int8 from 100,000 embeddings on.
        dicomweb_user: of a PACS; this and the next two in the environment alone.
        dicomweb_password: of the user.
        dicomweb_token: a bearer token, in the place of user and password.
        dicomweb_concurrency: requests under way at once.
        dicomweb_timeout_s: a PACS may keep silent for so long.
        dicomweb_ca_file: certificates that a PACS's is checked against; None for the usual ones.
        dicomweb_insecure: send the credentials over plain HTTP to another machine.
    """

    index: Path = Path("cbir.index")
    extractor: str = "quick"
    weights: Path | None = None
    store: StoreKind = "faiss"
    device: Device = "auto"
    workers: int | None = None
    timeout_s: float = _LIMITS.timeout_s
    memory_mb: int = _LIMITS.memory_mb
    max_pixel_mb: int = _LIMITS.max_pixel_mb
    max_file_mb: int = _LIMITS.max_file_mb
    frames: FramesPolicy | None = None
    for_processing: ReadOrSkip | None = None
    secondary_capture: ReadOrSkip | None = None
    burned_in: WarnOrSkip | None = None
    allow_pickle: bool = False
    offline: bool = False
    tenant: str | None = None
    patient_key: str | None = field(default=None, repr=False)
    qdrant_url: str | None = None
    qdrant_api_key: str | None = field(default=None, repr=False)
    qdrant_collection: str | None = None
    qdrant_grpc_port: int | None = None
    qdrant_timeout_s: int = 30
    qdrant_ca_file: Path | None = None
    qdrant_insecure_key: bool = False
    qdrant_thumbnail_url: str | None = None
    qdrant_shards: int | None = None
    qdrant_replicas: int = 1
    qdrant_write_consistency: int = 1
    qdrant_quantisation: Quantisation = "auto"
    dicomweb_user: str | None = field(default=None, repr=False)
    dicomweb_password: str | None = field(default=None, repr=False)
    dicomweb_token: str | None = field(default=None, repr=False)
    dicomweb_concurrency: int = 4
    dicomweb_timeout_s: float = 30.0
    dicomweb_ca_file: Path | None = None
    dicomweb_insecure: bool = False

    @property
    def limits(self) -> DecodeLimits:
        """What one file may cost."""
        return DecodeLimits(self.timeout_s, self.memory_mb, self.max_pixel_mb, self.max_file_mb)

    @property
    def policy(self) -> dict[str, str]:
        """Changes to which files the index admits."""
        given = {each.name: getattr(self, each.name) for each in fields(ReadPolicy)}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Resolved:
    """The settings of a run, and where each came from: ``flag``, ``CBIR_INDEX``, a file, ``default``."""

    settings: Settings
    origins: Mapping[str, str]


def settings_file() -> Path | None:
    """The cbir.toml that counts: here, else in the user's config folder, else none."""
    candidates = (Path("cbir.toml"), config_folder() / "cbir.toml")
    return next((path for path in candidates if path.is_file()), None)


def load_settings(**flags: object) -> Settings:
    """Settle every setting; a flag of None was not given.

    Raises:
        UsageProblem: an unknown key or a value of the wrong kind, and where it stands.
    """
    return resolve(flags).settings


def resolve(flags: Mapping[str, object] | None = None) -> Resolved:
    """Settle every setting, and say where each came from.

    Raises:
        UsageProblem: an unknown key or a value of the wrong kind, and where it stands.
    """
    given: dict[str, tuple[object, str]] = {}
    if path := settings_file():
        given |= {name: (value, str(path)) for name, value in _from_file(path).items()}
    for name in _kinds():
        if text := os.environ.get(f"CBIR_{name.upper()}"):
            given[name] = (text, f"CBIR_{name.upper()}")
    given |= {name: (value, "flag") for name, value in (flags or {}).items() if value is not None}
    if "qdrant_url" in given and "store" not in given:
        given["store"] = ("qdrant", "qdrant_url")
    values = {name: _typed(name, value, origin) for name, (value, origin) in given.items()}
    settings = Settings(**values)  # type: ignore[arg-type]  # _typed has checked each against its annotation
    try:
        _ = settings.limits, ReadPolicy(**settings.policy)  # type: ignore[arg-type]  # it checks
    except SpecError as error:
        raise UsageProblem(str(error)) from error
    if settings.workers is not None and settings.workers < 1:
        raise UsageProblem(f"workers is {settings.workers} ({given['workers'][1]}); use 1 or more.")
    return Resolved(settings, {name: given[name][1] if name in given else "default" for name in _kinds()})


def secret_names() -> set[str]:
    """Of the settings that are never shown."""
    return {each.name for each in fields(Settings) if not each.repr}


def setting_names() -> list[str]:
    """Of every setting, as in cbir.toml."""
    return [each.name for each in fields(Settings)]


def _kinds() -> Mapping[str, object]:
    return get_type_hints(Settings)


def _from_file(path: Path) -> Mapping[str, object]:
    try:
        page = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageProblem(f"{path} can't be read: {error}") from error
    for name in page:
        if name not in setting_names():
            raise UsageProblem(f"{path} sets {name!r}, which is no setting; {nearest(name, setting_names())}")
        if name in _ENVIRONMENT_ALONE:
            raise UsageProblem(f"{path} holds {name}: a file is no place for it. Set CBIR_{name.upper()}.")
    paths = {name for name, kind in _kinds().items() if Path in (kind, *get_args(kind))}
    return {name: _beside(path, value) if name in paths else value for name, value in page.items()}


def _beside(path: Path, value: object) -> object:
    """A path in a file is relative to the file."""
    return str(path.parent / Path(value).expanduser()) if isinstance(value, str) else value


def _typed(name: str, value: object, origin: str) -> object:
    kind = _kinds()[name]
    if isinstance(kind, UnionType) or get_origin(kind) not in (None, Literal):
        kind = next(each for each in get_args(kind) if each is not type(None))
    try:
        return _converted(kind, value)
    except (ValueError, KeyError):
        wanted = (
            ", ".join(get_args(kind)) if get_origin(kind) is Literal else getattr(kind, "__name__", str(kind))
        )
        raise UsageProblem(f"{name} is {value!r} ({origin}); it takes {wanted}.") from None


def _converted(kind: object, value: object) -> object:
    """The value as its setting wants it; texts come from the environment, others from TOML or a flag."""
    if get_origin(kind) is Literal and value in get_args(kind):
        return value
    if kind is bool:
        return value if isinstance(value, bool) else _WORDS[str(value).lower()]
    if isinstance(value, bool):  # Python's True is an int, TOML's is not
        raise ValueError  # noqa: TRY004 (the caller tells the user)
    if kind is int and isinstance(value, int | str):
        return int(value)
    if kind is float and isinstance(value, int | float | str):
        return float(value)
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    if kind is str and isinstance(value, str):
        return value
    raise ValueError
