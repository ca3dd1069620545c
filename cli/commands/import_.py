"""`cbir index import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options as opt
from cli.exit_codes import UsageProblem
from cli.ingesting import give_account, leave
from cli.opening import look_at_index
from cli.qdrant import Collection, Url, server_of
from cli.settings import Settings, StoreKind, load_settings
from cli.terminal import note

if TYPE_CHECKING:
    from indexer.ingesting.account import IngestReport


def import_(
    embeddings: Annotated[
        Path,
        typer.Argument(
            help="A matrix, a row an image: .npy, .npz, or .parquet with a list column; "
            "float16, float32 or float64. Or what `cbir index export` wrote as Parquet."
        ),
    ],
    *,
    items: Annotated[
        Path | None,
        typer.Option(
            help="A CSV or Parquet file that says what each row is of, in the same order; not for an export."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="What made them; imports of one name (and --sha256) are taken to be comparable. "
            "Not for an export."
        ),
    ] = None,
    output: opt.NewIndex = None,
    path: Annotated[
        str, typer.Option("--path", help="The column that names the image; it need not exist.")
    ] = "path",
    label: opt.LabelColumn = None,
    group: opt.GroupColumn = None,
    array: Annotated[
        str | None,
        typer.Option(help="Which array of an .npz, or column of a Parquet file, where there are several."),
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(help="Of the weights of the network that made them, where it is known.")
    ] = None,
    thumbnails: Annotated[
        bool, typer.Option("--thumbnails", help="Keep a small picture of each image that is there.")
    ] = False,
    store: Annotated[StoreKind | None, typer.Option(help="What finds neighbours (default: faiss).")] = None,
    qdrant_url: Url = None,
    qdrant_collection: Collection = None,
    skipped: opt.Skipped = None,
    workers: opt.Workers = None,
    timeout_s: opt.TimeoutS = None,
    memory_mb: opt.MemoryMb = None,
    max_pixel_mb: opt.MaxPixelMb = None,
    max_file_mb: opt.MaxFileMb = None,
) -> None:
    """Make an index of embeddings that were computed elsewhere, or go on with one that was interrupted.

    Search it with the id or path of an item, and evaluate it; it has no network to embed other images with.
    Every row is accounted for. The images need not be there.
    """
    from cbir.items import read_table
    from cli.progress import ProgressDisplay
    from indexer.importing.embedding_file import open_embeddings
    from indexer.importing.embeddings import import_embeddings
    from indexer.ingesting.account import IngestOptions

    settings = load_settings(
        index=output, store=store, workers=workers, timeout_s=timeout_s, memory_mb=memory_mb,
        max_pixel_mb=max_pixel_mb, max_file_mb=max_file_mb, qdrant_url=qdrant_url,
        qdrant_collection=qdrant_collection,
    )  # fmt: skip
    if items is None and name is None:
        report = _import_export(embeddings, settings)
    elif items is None or name is None:
        raise UsageProblem(
            f"--items and --name belong together; without both {embeddings} must be an export."
        )
    else:
        table = read_table(str(items), label_column=label, group_column=group, path_column=path)
        matrix = open_embeddings(embeddings, array=array)
        note(
            f"importing {matrix.n_rows} embeddings of {matrix.dim} dimensions into {settings.index} as {name}"
        )
        with ProgressDisplay(lambda: matrix.n_rows) as display:
            report = import_embeddings(
                settings.index, matrix, table, name=name, sha256=sha256, store=settings.store,
                server=server_of(settings), thumbnails=thumbnails, on_progress=display,
                options=IngestOptions(limits=settings.limits, n_workers=settings.workers),
            )  # fmt: skip
    code = give_account(report, index=settings.index, skipped=skipped)
    _tell_example(settings)
    leave(code)


def _import_export(file: Path, settings: Settings) -> IngestReport:
    """From one file that says everything."""
    from cli.progress import ProgressDisplay
    from indexer.exporting.read import open_export
    from indexer.importing.export import import_export

    export = open_export(file)
    if export is None:
        raise UsageProblem(
            f"{file} is not what `cbir index export` writes as Parquet: say what its rows are of with "
            "--items, and what made them with --name."
        )
    note(
        f"importing {export.n_rows} embeddings of {export.dim} dimensions into {settings.index}, exported "
        f"from an index of {export.name} ({export.fingerprint[:8]}…)"
    )
    with ProgressDisplay(lambda: None) as display:
        return import_export(
            settings.index, export, store=settings.store, server=server_of(settings), on_progress=display
        )


def _tell_example(settings: Settings) -> None:
    """How to ask it: an id that is in it."""
    import shlex

    with look_at_index(settings) as index:
        if item := next(index.items(), None):
            path = shlex.quote(str(settings.index))
            note(f"search it with an item's id or path: cbir search {item.id} -i {path}")
