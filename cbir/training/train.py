"""From a planned training to a run: train, measure on the test part, tell."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from cbir.durable import write_text
from cbir.extractors.build import ResolvedExtractor, resolve_extractor
from cbir.training.card import Card, card_json, card_text
from cbir.training.loop.start import Start
from cbir.training.run.folder import RunFolder
from cbir.training.run.measuring import Measured, measure
from cbir.training.run.records import page_text, write_skipped
from cbir.training.run.tables import table_of_split, table_of_test

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from cbir.images.decoding import Unread
    from cbir.images.steps import JSON
    from cbir.training.frozen import JoinedExtractors
    from cbir.training.material import Material
    from cbir.training.recipe import EnsembleRecipe, FrozenRecipe, NetworkRecipe
    from cbir.training.run.options import RunOptions, Watcher
    from cbir.training.run.plan import Planned


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A run that came to its end.

    Args:
        unread: files that were left out.
        n_images: that were not.
        measured: on the test part; None without one.
        card: what the run says of itself.
    """

    unread: tuple[Unread, ...]
    n_images: int
    measured: Measured | None
    card: Card


def train(
    planned: Planned, path: Path, options: RunOptions, watch: Watcher, *, resume: bool
) -> Finished | None:
    """Train, measure on the test part, and leave a run.

    Interrupted, the folder keeps the best so far, and the same call with ``resume`` goes on. Each of the
    processes in ``options`` must call it with the same.

    Args:
        planned: what is trained.
        path: of the run's folder.
        options: how.
        watch: told how it goes.
        resume: go on where there is something to go on with.

    Returns:
        What came of it; None where the run was finished before, and nothing was done.

    Raises:
        CbirError: in one line, what is wrong and what to do.
        OSError: the disk refused.
    """
    began = time.monotonic()
    once = options.processes.once
    with ExitStack() as stack:
        run = once(lambda: stack.enter_context(RunFolder.open(path, planned.begun, resume=resume)))
        if once(lambda: run.is_finished):
            return None
        once(lambda: write_text(run.recipe, page_text(planned.recipe.to_dict())))
        chosen = _learn(planned, run, options, watch, resume=resume)
        return once(lambda: _finish(planned, run, options, watch, chosen=chosen, began=began))


def _learn(
    planned: Planned, run: RunFolder, options: RunOptions, watch: Watcher, *, resume: bool
) -> Mapping[str, JSON]:
    """What all processes do together; gives what the choice on the validation part says of itself so far."""
    if isinstance(planned.start, Start):
        from cbir.training.run.of_network import run_network

        recipe = cast("NetworkRecipe", planned.recipe)
        return run_network(
            recipe, planned.material, planned.start, run, options=options, watch=watch, resume=resume
        )
    if planned.members:
        from cbir.training.run.of_ensemble import train_members

        def train_member(member: Planned, path: Path) -> None:
            train(member, path, options, watch, resume=True)

        ensemble = cast("EnsembleRecipe", planned.recipe)
        train_members(ensemble, planned.members, run, watch, train_member)
    return {}


@dataclass(frozen=True, slots=True, eq=False)
class _Trained:
    """A published extractor, and all images as it and its start see them.

    Args:
        material: the images that could be read.
        contents: (n_images,), each file's sha256.
        unread: the others.
        vectors: (n_images, dim), unit rows.
        start_vectors: likewise, by the start.
        chosen: what the choice on the validation part says of itself.
    """

    material: Material
    contents: tuple[str, ...]
    unread: tuple[Unread, ...]
    vectors: NDArray[np.float32]
    start_vectors: NDArray[np.float32]
    chosen: Mapping[str, JSON]


def _finish(
    planned: Planned,
    run: RunFolder,
    options: RunOptions,
    watch: Watcher,
    *,
    chosen: Mapping[str, JSON],
    began: float,
) -> Finished:
    """What one process does alone: join or fit what is quickly done, measure, and tell."""
    if isinstance(planned.start, Start):
        before = ResolvedExtractor(planned.start.spec, (planned.start.weights,))
        trained = _embed_both(planned, before, run, options, watch, chosen=chosen)
    elif planned.members:
        from cbir.training.run.of_ensemble import join_trained

        recipe = cast("EnsembleRecipe", planned.recipe)
        joined = join_trained(recipe, planned.members[0].material, run, options=options, watch=watch)
        trained = _embed_both(planned, planned.start.resolved, run, options, watch, chosen=joined)
    else:
        trained = _train_frozen(planned, planned.start, run, options, watch)
    return _tell(planned, run, options, trained, began)


def _embed_both(
    planned: Planned,
    before: ResolvedExtractor,
    run: RunFolder,
    options: RunOptions,
    watch: Watcher,
    *,
    chosen: Mapping[str, JSON],
) -> _Trained:
    """Embed all images as they are seen by what was published, and by what it started from."""
    from cbir.training.material_vectors import embed_material

    after = embed_material(resolve_extractor(run.path, offline=True), planned.material, options, watch)
    start = embed_material(before, after.material, options, watch)
    return _Trained(after.material, after.contents, after.unread, after.vectors, start.vectors, chosen)


def _train_frozen(
    planned: Planned, joined: JoinedExtractors, run: RunFolder, options: RunOptions, watch: Watcher
) -> _Trained:
    from cbir.training.frozen.validation import validation_chance
    from cbir.training.run.of_frozen import run_frozen

    recipe = cast("FrozenRecipe", planned.recipe)
    done = run_frozen(recipe, planned.material, joined, run, options=options, watch=watch)
    chosen: dict[str, JSON] = {
        "head": done.head.chosen,
        "macro P@10": done.head.precision,
        "random": validation_chance(done.material),
    }
    return _Trained(done.material, done.contents, done.unread, done.trained, done.start, chosen)


def _tell(planned: Planned, run: RunFolder, options: RunOptions, trained: _Trained, began: float) -> Finished:
    """Measure on the test part, and write the card: the last thing of a run."""
    material = trained.material
    measured = measure(material, trained.vectors, trained.start_vectors, seed=planned.recipe.seed)
    card = Card(
        recipe=planned.recipe.to_dict(),
        recipe_sha256=planned.recipe.sha256,
        spec=resolve_extractor(run.path, offline=options.offline, store=options.store).spec,
        start=[planned.start_spec],
        material=material,
        data_hash=material.data_hash(trained.contents),
        unread=Counter(str(each.reason) for each in trained.unread),
        chosen=trained.chosen,
        measured=measured,
        seed=planned.recipe.seed,
        device=options.torch_device,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=time.monotonic() - began,
    )
    write_skipped(run.skipped, trained.unread)
    write_text(run.split, table_of_split(material, trained.contents))
    if measured is not None:
        write_text(run.test, table_of_test(material, measured))
    write_text(run.card_text, card_text(card))
    write_text(run.card, card_json(card))
    return Finished(trained.unread, len(material.images), measured, card)
