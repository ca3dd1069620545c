"""A training as a command sees it: the plan, the progress, what came out, the exit code."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

import typer

from cbir.training.card import gain, no_result
from cbir.training.recipe import EnsembleRecipe, NetworkRecipe
from cbir.training.run.counts import count_parts
from cbir.training.run.options import Unwatched
from cbir.training.run.plan import plan_training
from cbir.training.train import train
from cli.exit_codes import ExitCode
from cli.progress import open_bar
from cli.renderers.table import columns
from cli.stopping import stopped_gently
from cli.terminal import has_terminal, note

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import TaskID

    from cbir.images.decoding import Unread
    from cbir.training.loop.history import StepDone
    from cbir.training.loop.parts import EpochTold
    from cbir.training.material import Material
    from cbir.training.processes import Processes
    from cbir.training.recipe import Recipe
    from cbir.training.run.options import RunOptions, Watcher
    from cbir.training.run.plan import Planned
    from cbir.training.train import Finished


def run_training(
    read: Callable[[], tuple[Recipe, Material]], folder: Path, options: RunOptions, *, resume: bool
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


class HasUnread(Protocol):
    """A run that came to its end."""

    @property
    def unread(self) -> Sequence[Unread]:
        """Files that were left out."""
        ...


_Planned = TypeVar("_Planned")
_Finished = TypeVar("_Finished", bound=HasUnread)


def run_planned(
    plan: Callable[[], _Planned],
    train: Callable[[_Planned, Watcher], _Finished | None],
    tell: Callable[[_Finished], None],
    *,
    folder: Path,
    processes: Processes,
) -> ExitCode:
    """Plan in the first process, train in all, and let the first one tell.

    Args:
        plan: sees that it can begin, and says what will be done.
        train: does it; None where the run was finished before.
        tell: gives the account.
        folder: of the run.
        processes: each must come here.

    Raises:
        CbirError: it can't begin, or can't go on.
        Exit: it was interrupted.
    """
    planned = processes.once(plan)
    if not processes.is_first:
        return _code(train(planned, Unwatched()))
    try:
        with stopped_gently(), TrainingDisplay() as display:
            finished = train(planned, display)
    except KeyboardInterrupt:
        note(f"interrupted: {folder} keeps the best so far; go on with --resume")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    if finished is None:
        note(f"{folder} is finished: see card.md. To have it measured again, delete card.json.")
    else:
        tell(finished)
    return _code(finished)


def _planned(recipe: Recipe, material: Material, options: RunOptions) -> Planned:
    planned = plan_training(recipe, material, options)
    for line in _plan(planned, options).splitlines():
        note(line)
    for line in planned.notes:
        note(f"note: {line}")
    return planned


def _code(finished: HasUnread | None) -> ExitCode:
    return ExitCode.SKIPPED if finished is not None and finished.unread else ExitCode.DONE


def _plan(planned: Planned, options: RunOptions) -> str:
    recipe, material = planned.recipe, planned.material
    head = [
        ("recipe", f"{recipe.name} ({recipe.sha256[:8]}…), seed {recipe.seed}"),
        ("start", ", ".join(dict.fromkeys(each.weights.name for each in planned.start_spec.branches))),
        ("split", f"{material.split_hash[:8]}…, by patient"),
        ("device", options.torch_device),
    ]
    if isinstance(recipe, NetworkRecipe):
        head.append(("batches", _batches(recipe, material)))
    if isinstance(recipe, EnsembleRecipe):
        head.append(("fusion", recipe.fusion))
    for each in planned.members:
        if isinstance(each.recipe, NetworkRecipe):
            said = f"{each.recipe.name} from {each.recipe.extractor}: {_batches(each.recipe, material)}"
            head.append(("member", said))
    return columns(head) + "\n" + parts_table(material)


def parts_table(material: Material) -> str:
    """How many images, patients and classes each part has."""
    counts = [["part", "images", "patients", *material.classes]]
    counts += [
        [each.part, str(each.n_images), str(each.n_groups), *map(str, each.by_class)]
        for each in count_parts(material)
    ]
    return columns(counts, keep=counts[0])


def tell_images(n_images: int, unread: Sequence[Unread], folder: Path) -> None:
    """Every file accounted for."""
    reasons = Counter(str(each.reason) for each in unread)
    said = ", ".join(f"{reason} {count}" for reason, count in reasons.items())
    note(f"images: {n_images} used, {len(unread)} skipped" + (f" ({said})" if said else ""))
    if unread:
        note(f"skipped files, with reasons: {folder / 'skipped.jsonl'}")


def _batches(recipe: NetworkRecipe, material: Material) -> str:
    batches = recipe.batches
    made = f"{batches.n_classes} classes × {batches.per_class}" if batches.per_class else "shuffled"
    n_steps = -(-len(material.rows("train")) // batches.size)
    return f"{batches.size} images ({made}), {n_steps} an epoch, at most {recipe.epochs} epochs"


def _tell(finished: Finished, folder: Path) -> None:
    """Every file accounted for, and what the extractor is worth."""
    tell_images(finished.n_images, finished.unread, folder)
    if finished.measured is None:
        note("no image is in the test part: nothing was measured, and nothing is claimed")
    else:
        note(f"test part: {gain(finished.measured)}")
        for line in no_result(finished.measured):
            note(line)
    note(f"{folder}: an extractor; see card.md. Use it: cbir index build IMAGES --extractor {folder}")
    note("Research use only, not for diagnosis.")


class TrainingDisplay:
    """Implements :class:`cbir.training.run.options.Watcher`: a bar at a terminal, else a line an epoch."""

    def __init__(self) -> None:
        self._n_epochs = 0
        self._bar = open_bar() if has_terminal() else None
        self._task: TaskID | None = None
        self._began = time.monotonic()
        self._n_epochs_done = 0
        self._last = ""

    def begin(self, what: str, total: int | None) -> None:
        """Something begins that has as many parts."""
        self._began = time.monotonic()
        if what == "training":
            self._n_epochs, self._n_epochs_done, self._last = total or 0, 0, ""
        if self._bar is None:
            note(what + (f": {total} images" if total and what != "training" else ""))
        elif self._task is None:
            self._task = self._bar.add_task(what, total=total)
        else:
            self._bar.reset(self._task, total=total, description=what)

    def advance(self) -> None:
        """One part more of it is done."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task)

    def step(self, done: StepDone) -> None:
        """A step is done."""
        if self._bar is not None and self._task is not None:
            completed = done.epoch - 1 + done.step / done.n_steps
            text = f"loss {done.loss:.4f}{self._last}"
            self._bar.update(self._task, completed=completed, total=self._n_epochs, description=text)

    def epoch(self, done: EpochTold, *, is_best: bool) -> None:
        """An epoch is done."""
        self._n_epochs_done += 1
        left_s = (self._n_epochs - done.epoch) * (time.monotonic() - self._began) / self._n_epochs_done
        best = ", the best so far" if is_best else ""
        self._last = f", {done.validated}"
        line = (
            f"epoch {done.epoch}/{self._n_epochs}: loss {done.loss:.4f}, {done.validated} "
            f"({done.chance}){best}; {done.images_per_s:.3g} images/s, at most {left_s:.0f} s left"
        )
        if self._bar is None:
            note(line)
        else:
            self._bar.console.print(line, markup=False, highlight=False)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
