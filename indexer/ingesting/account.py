"""What an ingest run is told, and the account it gives: every file found is in exactly one column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from cbir.errors import SkipReason
from cbir.images.settings import DecodeLimits
from cbir.items.dicomweb import PacsAccess
from indexer.storage.records import JSON, FileRecord

if TYPE_CHECKING:
    from indexer.stores.store import Device


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How a run works; none of it changes a number in an embedding.

    Args:
        limits: what one file may cost.
        policy: changes to which DICOM files the last run admitted, by the names of ``ReadPolicy``.
        n_workers: decoding processes; None for one a core.
        hash_key: keys the hashes of patient, study and instance; None stores none of them.
        commit_every_s: the least time between two commits; what lies between is lost by a kill.
        prune: drop items whose file is gone.
        batch_size: images embedded at once.
        tenant_column: keeps the items apart by tenant from now on; None leaves that as it is.
        device: where a store that can use a GPU is built.
        pacs: how those among the sources are talked to.
    """

    limits: DecodeLimits = field(default_factory=DecodeLimits)
    policy: Mapping[str, str] = field(default_factory=dict)
    n_workers: int | None = None
    hash_key: bytes | None = None
    commit_every_s: float = 20.0
    prune: bool = False
    batch_size: int = 32
    tenant_column: str | None = None
    device: Device = "auto"
    pacs: PacsAccess = field(default_factory=PacsAccess)


@dataclass(frozen=True, slots=True)
class SourceList:
    """Where the items come from, as `index update` remembers it.

    Args:
        sources: absolute folders, globs, image files or items files; URLs of PACS.
        labels: an items file to join to what is found.
        label_column: None for ``label``.
        group_column: None for ``group``, else ``patient_id``.
    """

    sources: tuple[str, ...]
    labels: str | None = None
    label_column: str | None = None
    group_column: str | None = None

    def to_dict(self) -> dict[str, JSON]:
        """Plain values, for JSON."""
        return {
            "sources": list(self.sources),
            "labels": self.labels,
            "label_column": self.label_column,
            "group_column": self.group_column,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Rebuild from ``to_dict``."""
        sources = values["sources"]
        rest = {name: value for name, value in values.items() if name != "sources"}
        return cls(tuple(sources), **rest)  # type: ignore[arg-type]  # written by to_dict


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come; ``acknowledged`` files survive a kill from now on."""

    found: int
    indexed: int
    unchanged: int
    duplicate: int
    skipped: int
    acknowledged: int


ProgressListener = Callable[[Progress], bool | None]
"""Called after every file; True asks the run to commit what it has and stop."""


@dataclass(frozen=True, slots=True)
class IngestReport:
    """The account of a run: ``found == indexed + unchanged + duplicate + sum(skipped)``, always.

    Args:
        skipped: files by reason.
        skipped_files: each with its reason and detail.
        images: images (frames) newly embedded.
        missing: files that items point to and that are gone; with ``prune`` they were dropped.
        moved: of the unchanged, how many were recognised under a new path.
        notes: what policies did, with counts.
        interrupted: the run was asked to stop; what it had is committed, run again to go on.
        seconds: wall clock, whole run.
        stages: seconds by stage; reading and decoding run beside embedding.
        unmatched_rows: the paths in ``labels`` that no file was found for.
    """

    found: int
    indexed: int
    unchanged: int
    duplicate: int
    skipped: Mapping[SkipReason, int]
    skipped_files: tuple[FileRecord, ...]
    images: int
    missing: int
    moved: int
    notes: Mapping[str, int]
    interrupted: bool
    seconds: float
    stages: Mapping[str, float]
    unmatched_rows: tuple[str, ...] = ()


@dataclass(slots=True)
class Account:
    """The running count behind a report."""

    found: int = 0
    indexed: int = 0
    unchanged: int = 0
    duplicate: int = 0
    images: int = 0
    missing: int = 0
    moved: int = 0
    acknowledged: int = 0
    skipped_files: list[FileRecord] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    interrupted: bool = False

    def progress(self) -> Progress:
        """A snapshot for a listener."""
        return Progress(
            self.found,
            self.indexed,
            self.unchanged,
            self.duplicate,
            len(self.skipped_files),
            self.acknowledged,
        )

    def report(self, seconds: float, stages: Mapping[str, float]) -> IngestReport:
        """The finished account."""
        reasons = Counter(record.reason for record in self.skipped_files if record.reason)
        return IngestReport(
            found=self.found,
            indexed=self.indexed,
            unchanged=self.unchanged,
            duplicate=self.duplicate,
            skipped=dict(reasons.most_common()),
            skipped_files=tuple(self.skipped_files),
            images=self.images,
            missing=self.missing,
            moved=self.moved,
            notes=dict(self.notes.most_common()),
            interrupted=self.interrupted,
            seconds=seconds,
            stages=stages,
        )
