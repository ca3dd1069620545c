"""`cbir train`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options as opt
from cli import training_options as has
from cli.exit_codes import UsageProblem
from cli.settings import load_settings

if TYPE_CHECKING:
    from cbir.training.material import Material
    from cbir.training.recipe import Recipe

_HOW = "What is said otherwise than in the recipe"


def train(
    recipe: has.RecipeName = None,
    *,
    items: has.Items = None,
    output: has.Output = None,
    label: has.Label = None,
    group: has.Group = None,
    split: has.Split = None,
    alone: has.Alone = False,
    start: Annotated[
        list[str] | None,
        typer.Option(help="The extractor to start from: preset, .toml file or run.", rich_help_panel=_HOW),
    ] = None,
    weights: has.Weights = None,
    epochs: has.Epochs = None,
    batch: has.Batch = None,
    seed: has.Seed = None,
    resume: has.Resume = False,
    names: has.ListNames = False,
    device: has.Where = None,
    allow_pickle: has.AllowPickle = None,
    offline: has.Offline = None,
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
        from cbir.training.recipe import RECIPES
        from cli.recipes import recipe_list

        typer.echo(recipe_list(RECIPES), nl=False)
        return
    if recipe is None or items is None or output is None:
        raise UsageProblem("Name a recipe, --items FILE and -o FOLDER; cbir train --list shows the recipes.")
    settings = load_settings(
        device=device, allow_pickle=allow_pickle, offline=offline, workers=workers, timeout_s=timeout_s,
        memory_mb=memory_mb, max_pixel_mb=max_pixel_mb, max_file_mb=max_file_mb,
        for_processing=for_processing, secondary_capture=secondary_capture, burned_in=burned_in,
    )  # fmt: skip
    from cbir.training.material import read_material
    from cbir.training.recipe import RECIPES, read_recipe
    from cbir.training.run.overrides import Overrides
    from cli.ingesting import leave
    from cli.processes import started_processes
    from cli.recipes import check_recipe
    from cli.run_options import run_options
    from cli.training import run_training

    options = run_options(settings, weights)

    def read() -> tuple[Recipe, Material]:
        check_recipe(recipe, RECIPES)
        chosen = Overrides(tuple(start or ()), epochs, batch, seed).applied(read_recipe(recipe))
        material = read_material(
            items, label_column=label, group_column=group, part_column=split, alone=alone, seed=chosen.seed
        )
        return chosen, material

    with started_processes(options.torch_device) as processes:
        code = run_training(read, output, replace(options, processes=processes), resume=resume)
    leave(code)
