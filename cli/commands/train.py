"""`cbir train`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options as opt
from cli.exit_codes import UsageProblem
from cli.folders import cache_folder, weights_folder
from cli.settings import Device, load_settings

if TYPE_CHECKING:
    from cbir.training.material import Material
    from cbir.training.recipe import Recipe

_WHAT, _HOW = "What is trained on", "What is said otherwise than in the recipe"


def train(
    recipe: Annotated[
        str | None, typer.Argument(metavar="RECIPE", help="As --list says, or an own .toml file.")
    ] = None,
    *,
    items: Annotated[
        str | None,
        typer.Option(help="CSV or Parquet: path, label, patient, perhaps split.", rich_help_panel=_WHAT),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The folder of the run.")] = None,
    label: Annotated[
        str | None,
        typer.Option("--label", help="The column of the label (default: label).", rich_help_panel=_WHAT),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            "--group",
            help="The column of the patient (default: group, else patient_id).",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            metavar="COLUMN",
            help="Says train, val or test (default: split, else 50, 20 and 30 % of the patients).",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    alone: Annotated[
        bool,
        typer.Option(
            "--alone", help="Let an image without a patient be one of its own.", rich_help_panel=_WHAT
        ),
    ] = False,
    start: Annotated[
        list[str] | None,
        typer.Option(help="The extractor to start from: preset, .toml file or run.", rich_help_panel=_HOW),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="A file in place of the start's weights.", rich_help_panel=_HOW)
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="At most.", rich_help_panel=_HOW)] = None,
    batch: Annotated[int | None, typer.Option(min=2, help="Images in a batch.", rich_help_panel=_HOW)] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of everything that is drawn.", rich_help_panel=_HOW)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was interrupted.")] = False,
    names: Annotated[bool, typer.Option("--list", help="Show the recipes and leave.")] = False,
    device: Annotated[Device | None, typer.Option(help="Where it runs (default: auto).")] = None,
    allow_pickle: Annotated[
        bool | None, typer.Option("--allow-pickle", help="Also read weights in a pickle file.")
    ] = None,
    offline: Annotated[bool | None, typer.Option("--offline", help="Never open a connection.")] = None,
    workers: opt.Workers = None,
    timeout_s: opt.TimeoutS = None,
    memory_mb: opt.MemoryMb = None,
    max_pixel_mb: opt.MaxPixelMb = None,
    max_file_mb: opt.MaxFileMb = None,
    for_processing: opt.ForProcessing = None,
    secondary_capture: opt.SecondaryCapture = None,
    burned_in: opt.BurnedIn = None,
) -> None:
    """Train an extractor on labelled images; the run's folder is one, with a card of what it is worth.

    Patients are in one part alone: train, val (where the best is chosen) or test (measured once).
    """
    if names:
        _list()
        return
    if recipe is None or items is None or output is None:
        raise UsageProblem("Name a recipe, --items FILE and -o FOLDER; cbir train --list shows the recipes.")
    settings = load_settings(
        device=device, allow_pickle=allow_pickle, offline=offline, workers=workers, timeout_s=timeout_s,
        memory_mb=memory_mb, max_pixel_mb=max_pixel_mb, max_file_mb=max_file_mb,
        for_processing=for_processing, secondary_capture=secondary_capture, burned_in=burned_in,
    )  # fmt: skip
    from cbir.extractors.weights import WeightsStore
    from cbir.images.decoding import Decoding
    from cbir.images.settings import ReadPolicy
    from cbir.training.material import read_material
    from cbir.training.recipe import RECIPES, read_recipe
    from cbir.training.run.options import RunOptions
    from cbir.training.run.overrides import Overrides
    from cli.ingesting import leave
    from cli.processes import started_processes
    from cli.training import run_training

    options = RunOptions(
        cache=cache_folder() / "decoded",
        device=settings.device,
        decoding=Decoding(settings.limits, ReadPolicy(**settings.policy), settings.workers),  # type: ignore[arg-type]  # it checks
        weights=weights,
        allow_pickle=settings.allow_pickle,
        offline=settings.offline,
        store=WeightsStore(weights_folder()),
    )

    def read() -> tuple[Recipe, Material]:
        if recipe not in RECIPES and not recipe.endswith(".toml"):
            raise UsageProblem(f"{recipe!r} is no recipe and no .toml file; there are {', '.join(RECIPES)}.")
        chosen = Overrides(tuple(start or ()), epochs, batch, seed).applied(read_recipe(recipe))
        material = read_material(
            items, label_column=label, group_column=group, part_column=split, alone=alone, seed=chosen.seed
        )
        return chosen, material

    with started_processes(options.torch_device) as processes:
        code = run_training(read, output, replace(options, processes=processes), resume=resume)
    leave(code)


def _list() -> None:
    """Every recipe, with the first words of its page."""
    from cbir.training.recipe import RECIPES
    from cli.renderers.table import columns

    rows = []
    for name, path in RECIPES.items():
        first = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix(f"# {name}: ")
        rows.append([name, first.partition(". ")[0].rstrip(".")])
    typer.echo(columns([["recipe", "what"], *rows]), nl=False)
