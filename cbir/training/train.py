"""From a recipe and an items file to a run: what will be done, and doing it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import numpy as np

from cbir.errors import SpecError
from cbir.extractors.build import ResolvedExtractor, load_resolved, resolve_extractor
from cbir.training.card import Card, card_json, card_text
from cbir.training.embedding import embed_files
from cbir.training.measuring import Measured, measure
from cbir.training.recipe import EnsembleRecipe, FrozenRecipe, NetworkRecipe
from cbir.training.run import Begun, RunFolder, write_text
from cbir.training.start import Start, find_start

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from cbir.extractors.spec import ExtractorSpec
    from cbir.images.steps import JSON
    from cbir.training.embedding import Unread
    from cbir.training.frozen import JoinedExtractors
    from cbir.training.material import Material
    from cbir.training.options import RunOptions, Watcher
    from cbir.training.recipe import Recipe


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """A training that can begin: its images do, and its weights are there.

    Args:
        recipe: with whatever was changed in it.
        material: as read.
        start: what it starts from.
        notes: on what is possible, but poorer for it.
    """

    recipe: NetworkRecipe | FrozenRecipe
    material: Material
    start: Start | JoinedExtractors
    notes: tuple[str, ...]

    @property
    def start_spec(self) -> ExtractorSpec:
        """Of what it starts from."""
        return self.start.spec

    @property
    def begun(self) -> Begun:
        """What a run of it may be gone on with by."""
        folder = os.path.dirname(os.path.abspath(self.material.source))  # noqa: PTH100, PTH120 - bytes stay
        rows = zip(self.material.images, self.material.codes.tolist(), self.material.groups, strict=True)
        text = "".join(
            f"{os.path.relpath(image.path, folder)}\0{self.material.classes[code]}\0{group}\0"
            for image, code, group in rows
        )
        return Begun(
            recipe=self.recipe.sha256,
            items=hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest(),
            split=self.material.split_hash,
            start=self.start_spec.fingerprint,
        )


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


def plan_training(recipe: Recipe, material: Material, options: RunOptions) -> Planned:
    """See that a training can begin, before anything expensive.

    Raises:
        BackendError: the hub can't be reached.
        ItemsError: not with these images.
        SpecError: the recipe makes no sense with its start.
        WeightsError: the start's weights are missing, or not the pinned ones.
    """
    if isinstance(recipe, EnsembleRecipe):
        raise SpecError(
            f"Recipe {recipe.name!r} has {len(recipe.members)} members. Train each, and join their "
            "pages with cbir extractor weights."
        )
    if isinstance(recipe, FrozenRecipe):
        from cbir.training.frozen import join_extractors
        from cbir.training.preflight import check_material

        if options.weights is not None:
            raise SpecError(
                f"Recipe {recipe.name!r} starts from {', '.join(recipe.extractors)}, but --weights names one "
                'file; name it in a page of TOML: source = "file:…", and the page as --start.'
            )
        notes = check_material(material)
        joined = join_extractors(recipe, offline=options.offline, store=options.store)
        return Planned(recipe, material, joined, notes)
    from cbir.training.of_network import check_network

    notes = check_network(recipe, material)
    start = find_start(recipe, weights=options.weights, offline=options.offline, store=options.store)
    return Planned(recipe, material, start, notes)


def train(planned: Planned, path: Path, options: RunOptions, watch: Watcher, *, resume: bool) -> Finished:
    """Train, measure on the test part, and leave a run.

    Interrupted, the folder keeps the best so far, and the same call with ``resume`` goes on.

    Args:
        planned: what is trained.
        path: of the run's folder.
        options: how.
        watch: told how it goes.
        resume: go on where there is something to go on with.

    Raises:
        CbirError: in one line, what is wrong and what to do.
        OSError: the disk refused.
    """
    began = time.monotonic()
    with RunFolder.open(path, planned.begun, resume=resume) as run:
        write_text(run.recipe, _page(planned.recipe))
        if isinstance(planned.start, Start):
            trained = _train_network(planned, planned.start, run, options, watch, resume=resume)
        else:
            trained = _train_frozen(planned, planned.start, run, options, watch)
        return _tell(planned, run, options, trained, began)


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


def _train_network(
    planned: Planned, start: Start, run: RunFolder, options: RunOptions, watch: Watcher, *, resume: bool
) -> _Trained:
    from cbir.training.of_network import run_network

    recipe = cast("NetworkRecipe", planned.recipe)
    chosen = run_network(recipe, planned.material, start, run, options=options, watch=watch, resume=resume)
    after = resolve_extractor(run.path, offline=True)
    before = ResolvedExtractor(start.spec, (start.weights,))
    material, contents, unread, vectors = _vectors(after, planned.material, options, watch)
    _, _, _, start_vectors = _vectors(before, material, options, watch)
    return _Trained(material, contents, unread, vectors, start_vectors, chosen)


def _train_frozen(
    planned: Planned, joined: JoinedExtractors, run: RunFolder, options: RunOptions, watch: Watcher
) -> _Trained:
    from cbir.training.of_frozen import run_frozen

    recipe = cast("FrozenRecipe", planned.recipe)
    done = run_frozen(recipe, planned.material, joined, run, options=options, watch=watch)
    chosen: dict[str, JSON] = {"head": done.head.chosen, "macro P@10": done.head.precision}
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
    _write_skipped(run.skipped, trained.unread)
    write_text(run.split, _split(material, trained.contents))
    write_text(run.card_text, card_text(card))
    write_text(run.card, card_json(card))
    return Finished(trained.unread, len(material.images), measured, card)


def _vectors(
    resolved: ResolvedExtractor, material: Material, options: RunOptions, watch: Watcher
) -> tuple[Material, tuple[str, ...], tuple[Unread, ...], NDArray[np.float32]]:
    """What is left of the images, each file's sha256, the others, and (n_images, dim)."""
    watch.begin(f"embedding with {resolved.spec.name}", len(material.images))
    extractor = load_resolved(resolved, allow_pickle=options.allow_pickle, device=options.torch_device)
    paths = [image.path for image in material.images]
    found = embed_files(extractor, paths, options.decoding, on_file=watch.advance)
    rows, first = np.unique(found.rows, return_index=True)  # of several frames the first
    contents = tuple(found.contents[int(row)] for row in rows)
    return material.take(rows), contents, found.unread, found.vectors[first]


def _page(recipe: NetworkRecipe | FrozenRecipe) -> str:
    """The recipe as it is used, so that it can be used again."""
    import tomlkit

    return tomlkit.dumps(recipe.to_dict())


def _split(material: Material, contents: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["path", "sha256", "label", "group", "split"])
    for image, digest, code, group, part in zip(
        material.images, contents, material.codes.tolist(), material.groups, material.parts, strict=True
    ):
        writer.writerow([image.path, digest, material.classes[code], group, part])
    return text.getvalue()


def _write_skipped(path: Path, unread: tuple[Unread, ...]) -> None:
    if not unread:
        path.unlink(missing_ok=True)
        return
    lines = [{"path": each.path, "reason": each.reason, "detail": each.detail} for each in unread]
    write_text(path, "".join(json.dumps(line) + "\n" for line in lines))
