"""`cbir index build`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cbir.errors import CbirError
from cli import options as opt
from cli.exit_codes import ExitCode
from cli.folders import cache_folder, weights_folder
from cli.ingesting import ingest_options, leave, run_ingest, source_list
from cli.qdrant import Collection, Url, server_of
from cli.settings import Device, Settings, StoreKind, load_settings
from cli.terminal import note

if TYPE_CHECKING:
    from cbir.extractors.build import ResolvedExtractor
    from cbir.extractors.extractor import Extractor
    from indexer.ingesting.account import IngestReport, ProgressListener, SourceList

_DRIVER = Path("/dev/nvidiactl")
"""There where an NVIDIA driver runs: without it, torch need not be asked (and loaded)."""
_EXTRACTOR = "What the images are compared by"


def build(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Folders, image files, globs, items files (CSV, Parquet), or a PACS: "
            "dicomweb+http://host/dicom-web."
        ),
    ],
    *,
    output: opt.NewIndex = None,
    labels: opt.Labels = None,
    label: opt.LabelColumn = None,
    group: opt.GroupColumn = None,
    tenant: opt.TenantColumn = None,
    skipped: opt.Skipped = None,
    extractor: Annotated[
        str | None,
        typer.Option(help="A preset, or an own .toml file (default: quick).", rich_help_panel=_EXTRACTOR),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="A local safetensors file in place of the preset's weights.", rich_help_panel=_EXTRACTOR
        ),
    ] = None,
    allow_pickle: Annotated[
        bool | None,
        typer.Option(
            "--allow-pickle", help="Also read weights in a pickle file.", rich_help_panel=_EXTRACTOR
        ),
    ] = None,
    offline: Annotated[
        bool | None, typer.Option("--offline", help="Never open a connection.", rich_help_panel=_EXTRACTOR)
    ] = None,
    device: Annotated[
        Device | None,
        typer.Option(help="Where the network runs (default: auto).", rich_help_panel=_EXTRACTOR),
    ] = None,
    tta: Annotated[
        bool | None,
        typer.Option(
            "--tta/--no-tta",
            help="Look at each image in five views, and average (default: as the extractor says).",
            rich_help_panel=_EXTRACTOR,
        ),
    ] = None,
    store: Annotated[
        StoreKind | None,
        typer.Option(help="What finds neighbours (default: faiss).", rich_help_panel=_EXTRACTOR),
    ] = None,
    qdrant_url: Url = None,
    qdrant_collection: Collection = None,
    workers: opt.Workers = None,
    timeout_s: opt.TimeoutS = None,
    memory_mb: opt.MemoryMb = None,
    max_pixel_mb: opt.MaxPixelMb = None,
    max_file_mb: opt.MaxFileMb = None,
    frames: opt.Frames = None,
    for_processing: opt.ForProcessing = None,
    secondary_capture: opt.SecondaryCapture = None,
    burned_in: opt.BurnedIn = None,
) -> None:
    """Make an index of images, or go on with one that was interrupted.

    Every file found is accounted for: indexed, unchanged, duplicate or skipped with a reason.
    """
    settings = load_settings(
        index=output, extractor=extractor, weights=weights, allow_pickle=allow_pickle, offline=offline,
        device=device, store=store, workers=workers, timeout_s=timeout_s, memory_mb=memory_mb,
        max_pixel_mb=max_pixel_mb, max_file_mb=max_file_mb, frames=frames, for_processing=for_processing,
        secondary_capture=secondary_capture, burned_in=burned_in, qdrant_url=qdrant_url,
        qdrant_collection=qdrant_collection,
    )  # fmt: skip
    listed = source_list(sources, labels, label, group)
    leave(build_with(settings, listed, skipped=skipped, tta=opt.views(tta), tenant=tenant))


def build_with(
    settings: Settings,
    sources: SourceList,
    *,
    skipped: Path | None,
    tta: tuple[str, ...] | None = None,
    tenant: str | None = None,
) -> ExitCode:
    """Build as the settings say, and tell about it.

    Args:
        settings: of the run.
        sources: of the images.
        skipped: where the skipped files are listed, see ``run_ingest``.
        tta: views in the place of the extractor's.
        tenant: the column that keeps the items apart; None as the index does.
    """
    from cbir.extractors.build import resolve_extractor
    from cbir.extractors.weights import WeightsStore
    from indexer.ingest import build_index

    resolved = resolve_extractor(
        settings.extractor, weights=settings.weights, offline=settings.offline,
        store=WeightsStore(weights_folder()),
    )  # fmt: skip
    if settings.frames:
        read = replace(resolved.spec.read, frames=settings.frames)
        resolved = replace(resolved, spec=replace(resolved.spec, read=read))
    if tta:
        resolved = replace(resolved, spec=replace(resolved.spec, tta=tta))
    options = replace(ingest_options(settings), tenant_column=tenant)

    def ingest(on_progress: ProgressListener) -> IngestReport:
        return build_index(
            settings.index, resolved.spec, partial(_fill_model, resolved, settings), sources, options,
            store=settings.store, server=server_of(settings), embedder=_on_gpu(resolved, settings),
            on_progress=on_progress,
        )  # fmt: skip

    note(f"building {settings.index} with {resolved.spec.name}")
    return run_ingest(ingest, source_lists=[sources], index=settings.index, skipped=skipped)


def _fill_model(resolved: ResolvedExtractor, settings: Settings, folder: Path) -> None:
    from cbir.extractors.exported_cache import put_exported

    put_exported(
        resolved, folder, cache_dir=cache_folder() / "exported", allow_pickle=settings.allow_pickle,
        on_export=lambda: note(f"exporting {resolved.spec.name} with PyTorch; kept for the next build"),
    )  # fmt: skip


def _on_gpu(resolved: ResolvedExtractor, settings: Settings) -> Extractor | None:
    """The extractor on a GPU, where there is one and it is wanted; None leaves it to the exported one."""
    if settings.device == "cpu" or (settings.device == "auto" and not _DRIVER.exists()):
        return None
    import torch

    from cbir.extractors.build import load_resolved

    if torch.cuda.is_available():
        return load_resolved(resolved, allow_pickle=settings.allow_pickle, device="cuda")
    if settings.device == "cuda":
        raise CbirError("device is cuda, but torch sees no GPU. Use --device cpu, or see: cbir doctor.")
    return None
