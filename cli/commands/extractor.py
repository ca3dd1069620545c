"""`cbir extractor weights` and `cbir extractor whiten`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cbir import __version__
from cbir.errors import FingerprintError
from cli import options as opt
from cli.exit_codes import UsageProblem
from cli.folders import weights_folder
from cli.opening import look_at_index
from cli.selecting import selection
from cli.settings import load_settings
from cli.terminal import note
from cli.whitening import Dim, Discriminated, Items, Shrinkage, shrinkage_of

if TYPE_CHECKING:
    from cbir.items.part import Selection
    from indexer.fitting.rows import FittingRows
    from indexer.index import Index

Page = Annotated[
    str | None,
    typer.Option(
        "--extractor", help="The preset or .toml file that the index was built with (default: its preset)."
    ),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="The .toml file to write.")]
Offline = Annotated[bool | None, typer.Option("--offline", help="Never open a connection.")]


def weights(
    *,
    output: Output,
    index: opt.IndexOption = None,
    items: Items = None,
    label: Annotated[
        str,
        typer.Option(help="What is relevant: items with the same value of label, or of any other column."),
    ] = "label",
    extractor: Page = None,
    method: Annotated[
        Literal["score", "l2"],
        typer.Option(
            help="How the page says it; the scores are the same: score weighs the branches' cosines."
        ),
    ] = "score",
    k: Annotated[int, typer.Option("-k", min=1, help="How many hits the comparison judges.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of folds, intervals and permutations.")] = 0,
    offline: Offline = None,
) -> None:
    """Learn how much each branch of an extractor should count, on a validation split, and write its page.

    Compared with equal weights by macro P@k, each patient ranked with weights learned without them.
    """
    settings = load_settings(index=index, offline=offline)
    from cbir.extractors.preset_file import refuse_target, write_page
    from cbir.extractors.spec import FusionSpec
    from cli.renderers.fitted import render_weights, weights_in_a_line
    from indexer.fitting.fusion import fit_weights
    from indexer.fitting.rows import fitting_rows

    refuse_target(output)
    part = selection(items)
    with look_at_index(settings) as opened:
        page = _page_of(opened, extractor, offline=settings.offline)
        rows = fitting_rows(opened, part, label=label)
        fitted = fit_weights(opened.spec, rows, k=k, seed=seed)
        said = ["weights", *_words(opened, items, extractor), "--label", label, "--method", method]
        said += ["-k", str(k), "--seed", str(seed), "-o", str(output)]
        remarks = [*_remarks(opened, part, rows, said), weights_in_a_line(fitted, k)]
        spec = opened.spec
    found = fitted.learned.weights if method == "score" else fitted.learned.for_l2
    (written,) = write_page(page, output, fusion=FusionSpec(method, found), remarks=remarks)
    typer.echo(render_weights(spec, fitted), nl=False)
    note(weights_in_a_line(fitted, k))
    _left_out(rows, label)
    if not fitted.is_better:
        note(f"no better than equal weights by the paired test: {page} as it is may serve as well")
    note(f"{written}: learned on {rows.n_items} items; measure it on others")


def whiten(
    *,
    output: Output,
    index: opt.IndexOption = None,
    items: Items = None,
    dim: Dim = None,
    shrinkage: Shrinkage = "auto",
    label: Discriminated = None,
    extractor: Page = None,
    offline: Offline = None,
) -> None:
    """Fit whitening on the vectors of a training split, and write the extractor's page with it.

    Writes a .safetensors file beside the page. With --label, fitted to tell labels apart.
    """
    settings = load_settings(index=index, offline=offline)
    from cbir.extractors.fitting.whitening import whiten as fit
    from cbir.extractors.preset_file import refuse_target, write_page
    from indexer.fitting.rows import fitting_rows

    amount = shrinkage_of(shrinkage)
    refuse_target(output)
    part = selection(items)
    with look_at_index(settings) as opened:
        page = _page_of(opened, extractor, offline=settings.offline)
        rows = fitting_rows(opened, part, label=label)
        projection = fit(rows.vectors, dim=dim, shrinkage=amount, labels=rows.labels if label else None)
        said = ["whiten", *_words(opened, items, extractor), "--shrinkage", shrinkage]
        said += [*(["--label", label] if label else []), *(["--dim", str(dim)] if dim else [])]
        remarks = _remarks(opened, part, rows, [*said, "-o", str(output)])
        n_in = opened.dim
    written = write_page(page, output, projection=projection, remarks=remarks)
    _left_out(rows, label)
    names = " and ".join(str(each) for each in written)
    note(f"{names}: {n_in} to {projection.dim} numbers, fitted on {rows.n_items} items; measure on others")


def _page_of(index: Index, extractor: str | None, *, offline: bool) -> Path:
    """The page that an index was built with, checked to be that."""
    from cbir.extractors.build import resolve_extractor
    from cbir.extractors.preset import PRESETS, page_path
    from cbir.extractors.weights import WeightsStore

    name = extractor or index.spec.name
    if extractor is None and name not in PRESETS:
        raise UsageProblem(
            f"{str(index.path)!r} was built with {name}, which is no preset. Name its page: "
            "--extractor FILE.toml"
        )
    resolved = resolve_extractor(name, offline=offline, store=WeightsStore(weights_folder()))
    if resolved.spec.fingerprint != index.fingerprint:
        raise FingerprintError(
            f"{str(index.path)!r} was built with {index.spec.name} ({index.fingerprint[:8]}…), and {name} is "
            f"{resolved.spec.name} ({resolved.spec.fingerprint[:8]}…). Name the page that it was built with; "
            "what was given as --weights or --frames then must stand in it."
        )
    return page_path(name)


def _words(index: Index, items: str | None, extractor: str | None) -> list[str]:
    said = ["-i", str(index.path)]
    said += ["--items", items] if items else []
    return said + (["--extractor", extractor] if extractor else [])


def _remarks(index: Index, part: Selection | None, rows: FittingRows, said: list[str]) -> list[str]:
    """For the page: what was run, on what."""
    from indexer.study import StudyPlan, split_hash

    split = split_hash(index, StudyPlan(queries=part))
    index_is = f"generation {index.generation} of an index with fingerprint {index.fingerprint}"
    return [
        f"Made by cbir {__version__}: {shlex.join(['cbir', 'extractor', *said])}",
        f"On {rows.n_items} items of {index_is}.",
        f"Split: {split or 'not one by cbir items split'}.",
    ]


def _left_out(rows: FittingRows, label: str | None) -> None:
    if rows.n_unlabelled:
        note(f"left out: {rows.n_unlabelled} items without a {label}")
