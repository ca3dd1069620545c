"""Every command, and where it lives."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cbir import __version__
from cli.commands import (
    build,
    classify,
    compact,
    config,
    convert,
    datasets,
    demo,
    diff,
    doctor,
    duplicates,
    evaluate,
    export,
    extractor,
    import_,
    info,
    items,
    models,
    pacs,
    rebuild,
    remove,
    restore,
    search,
    serve,
    snapshot,
    train,
    tune,
    update,
    verify,
    whiten,
)
from cli.group import RootGroup

_SETTINGS = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    cls=RootGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings=_SETTINGS,
)
index = typer.Typer(no_args_is_help=True, context_settings=_SETTINGS)
settings = typer.Typer(no_args_is_help=True, context_settings=_SETTINGS)
public = typer.Typer(no_args_is_help=True, context_settings=_SETTINGS)
weights = typer.Typer(no_args_is_help=True, context_settings=_SETTINGS)
items_file = typer.Typer(no_args_is_help=True, context_settings=_SETTINGS)
pages = typer.Typer(no_args_is_help=True, context_settings=_SETTINGS)

app.add_typer(index, name="index", help="Build an index of images, and look after it.")
app.command("search")(search.search)
app.command("evaluate")(evaluate.evaluate)
app.command("train")(train.train)
app.add_typer(classify.group, name="classify", help="Classifiers: what an image is, and how sure.")
app.add_typer(pacs.group, name="pacs", help="Keep an index up to date with a PACS.")
app.add_typer(serve.group, name="serve", help="Serve indexes over HTTP; the keys of those who may ask.")
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.add_typer(public, name="datasets", help="Public data sets as lists of images.")
app.add_typer(items_file, name="items", help="Split a list of images by patient, and look for leaks.")
app.add_typer(weights, name="models", help="Weights: fetch, check, carry to a machine without a network.")
app.add_typer(
    pages, name="extractor", help="Fit fusion weights or whitening, and write the extractor's page."
)
app.add_typer(settings, name="config", help="What is set, and where.")

index.command("build")(build.build)
index.command("import")(import_.import_)
index.command("update")(update.update)
index.command("remove")(remove.remove)
index.command("verify")(verify.verify)
index.command("info")(info.info)
index.command("compact")(compact.compact)
index.command("convert")(convert.convert)
index.command("rebuild")(rebuild.rebuild)
index.command("duplicates")(duplicates.duplicates)
index.command("diff")(diff.diff)
index.command("export")(export.export)
index.command("snapshot")(snapshot.snapshot)
index.command("restore")(restore.restore)
index.command("tune")(tune.tune)
index.command("whiten")(whiten.whiten)
public.command("list")(datasets.list_datasets)
public.command("prepare")(datasets.prepare)
items_file.command("split")(items.split)
items_file.command("audit")(items.audit)
weights.command("list")(models.list_models)
weights.command("pull")(models.pull)
weights.command("verify")(models.verify)
weights.command("bundle")(models.bundle)
weights.command("install")(models.install)
pages.command("weights")(extractor.weights)
pages.command("whiten")(extractor.whiten)
settings.command("show")(config.show)


def _version(wanted: bool) -> None:  # noqa: FBT001 (typer calls it with the flag's value)
    if wanted:
        typer.echo(f"cbir {__version__} — research use only, not for diagnosis")
        raise typer.Exit


@app.callback()
def root(
    *,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error. Also CBIR_DEBUG=1.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Show the version and leave.")
    ] = False,
) -> None:
    """Find the medical images that look like this one. Research use only, not for diagnosis.

    Start with `cbir demo`, or `cbir index build FOLDER` and `cbir search IMAGE`.
    """
    del debug, version  # RootGroup reads the one, the callback has answered the other
    for stream in (sys.stdout, sys.stderr):  # a strange locale must not stop an answer
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
