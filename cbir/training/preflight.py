"""Whether material can be trained on, said before the first step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import ItemsError
from cbir.items.audit import Audited, find_leaks
from cbir.training.material import PARTS, Material, Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST = 2
_NEEDED: tuple[Part, ...] = ("train", "val")
_MEASURED: tuple[Part, ...] = ("val", "test")


def check_material(
    material: Material, *, classes_per_batch: int | None = None, images_per_class: int | None = None
) -> tuple[str, ...]:
    """See that every class can be learned, and that the choice of an epoch has something to stand on.

    Args:
        material: as read, or what is left of it when unreadable images are gone.
        classes_per_batch: P of balanced batches; None where they are only shuffled.
        images_per_class: K of them.

    Returns:
        Notes, one line each, on what is possible but poorer for it.

    Raises:
        ItemsError: one class, a part without images, a class with fewer than two groups in train, or fewer
            images in train than one batch takes.
    """
    counts = {
        part: np.bincount(material.codes[material.rows(part)], minlength=len(material.classes))
        for part in PARTS
    }
    _check_classes(material)
    for part in _NEEDED:
        if not counts[part].sum():
            raise ItemsError(
                f"{material.source}: no labelled image is in {part}, of {len(material.images)}. Split the "
                "patients again, into three parts: cbir items split."
            )
    _check_train_groups(material)
    n_train = int(counts["train"].sum())
    wanted = (classes_per_batch or 1) * (images_per_class or 1)
    if n_train < wanted:
        raise ItemsError(
            f"{material.source}: train has {n_train} images, a batch takes {classes_per_batch} classes × "
            f"{images_per_class} images = {wanted}. Lower them in the recipe, or label more images."
        )
    return tuple(_notes(material, counts))


def check_contents(material: Material, contents: Sequence[str]) -> None:
    """See that no file stands in two parts under two names.

    Args:
        material: as read.
        contents: (n_images,), each file's sha256.

    Raises:
        ItemsError: one does; names both.
    """
    paths = [image.path for image in material.images]
    files = zip(paths, material.parts, contents, strict=True)
    if leaks := find_leaks([Audited(path, part, sha256=content) for path, part, content in files]):
        first, second = leaks[0].first, leaks[0].second
        raise ItemsError(
            f"{material.source}: {first.path} in {first.split} and {second.path} in {second.split} are the "
            "same file. Keep one of them, or give both the same patient and split again: cbir items split."
        )


def _check_classes(material: Material) -> None:
    if len(material.classes) >= _LEAST:
        return
    n_images = len(material.images)
    found = (
        f"all {n_images} labelled images are {material.classes[0]!r}"
        if n_images
        else "no labelled image has a part"
    )
    raise ItemsError(
        f"{material.source}: {found}. Training needs two classes or more; name another column with --label."
    )


def _check_train_groups(material: Material) -> None:
    train = material.rows("train")
    for code, name in enumerate(material.classes):
        rows = train[material.codes[train] == code]
        groups = {material.groups[row] for row in rows}
        if len(groups) < _LEAST:
            raise ItemsError(
                f"{material.source}: class {name!r} has {len(rows)} images of {len(groups)} groups in train, "
                f"and needs {_LEAST} groups. Add images of more patients, merge it with another class, or "
                "leave its label empty."
            )


def _notes(material: Material, counts: Mapping[Part, NDArray[np.intp]]) -> Iterator[str]:
    if material.n_unlabelled:
        yield f"{material.n_unlabelled} images without a label are left out"
    if material.n_outside:
        yield f"{material.n_outside} labelled images without a part are left out"
    for part in _MEASURED:
        missing = [name for name, n in zip(material.classes, counts[part], strict=True) if not n]
        if len(missing) == len(material.classes):
            yield f"no image is in {part}: nothing says what the training is worth on new patients"
        elif missing:
            yield f"{part} has no image of {', '.join(map(repr, missing))}: its measures say nothing of that"
