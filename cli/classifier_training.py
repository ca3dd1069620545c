"""A classifier's training as a command sees it: the plan, what came out, the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.evaluation.report.page.figures import number, span
from classifiers.training.card import no_result
from classifiers.training.plan import plan_training
from classifiers.training.train import train
from cli.renderers.table import columns
from cli.terminal import note
from cli.training import parts_table, run_planned, tell_images

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cbir.training.material import Material
    from cbir.training.run.options import RunOptions
    from classifiers.recipe import ClassifierRecipe
    from classifiers.training.plan import Planned
    from classifiers.training.train import Finished
    from cli.exit_codes import ExitCode


def run_training(
    read: Callable[[], tuple[ClassifierRecipe, Material]], folder: Path, options: RunOptions, *, resume: bool
) -> ExitCode:
    """Say what will be done, do it, and give the account.

    Args:
        read: the recipe, and what is trained on.
        folder: of the run.
        options: how; each of its processes must come here.
        resume: go on with what is there.

    Raises:
        CbirError: it can't begin, or can't go on.
        Exit: it was interrupted.
    """
    return run_planned(
        lambda: _planned(*read(), options),
        lambda planned, watch: train(planned, folder, options, watch, resume=resume),
        lambda finished: _tell(finished, folder),
        folder=folder,
        processes=options.processes,
    )


def _planned(recipe: ClassifierRecipe, material: Material, options: RunOptions) -> Planned:
    planned = plan_training(recipe, material, options)
    for line in _plan(planned, options).splitlines():
        note(line)
    for line in planned.notes:
        note(f"note: {line}")
    return planned


def _plan(planned: Planned, options: RunOptions) -> str:
    recipe, material = planned.recipe, planned.material
    equal = ", the rarer classes repeated in train" if recipe.oversample else ""
    head = [
        ("recipe", f"{recipe.name} ({recipe.sha256[:8]}…), seed {recipe.seed}"),
        ("network", f"{recipe.network.name}, loss {recipe.loss.name}"),
        ("start", ", ".join(file.ref.name for file in planned.start.weights)),
        ("split", f"{material.split_hash[:8]}…, by patient"),
        ("device", options.torch_device),
        ("batches", f"{recipe.batches.size} images{equal}"),
    ]
    for place, stage in enumerate(recipe.stages, start=1):
        how = f"learns {stage.learns}, {stage.optimiser} {stage.rate:g} {stage.schedule}"
        head.append((f"stage {place}", f"{how}, at most {stage.epochs} epochs"))
    return columns(head) + "\n" + parts_table(material)


def _tell(finished: Finished, folder: Path) -> None:
    """Every file accounted for, and what the classifier is worth."""
    tell_images(finished.n_images, finished.unread, folder)
    measured = finished.card.measured
    if measured is None:
        note(
            "the test part has images of fewer than two classes: nothing was measured, and nothing is claimed"
        )
    else:
        f1 = measured.measures["macro_f1"]
        note(
            f"test part: macro F1 {number(f1.value)} ({span(f1.interval)}), random {number(f1.random)}, "
            f"constant {number(f1.majority)}; {measured.n_images} images, {measured.n_groups} patients"
        )
        for line in no_result(measured):
            note(line)
    note(f"{folder}: a classifier; see card.md. Use it: cbir classify predict {folder} IMAGES")
    note("Research use only, not for diagnosis.")
