"""A recipe of the kind ``frozen``, carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbir.errors import ItemsError
from cbir.extractors.fusion import unit_rows
from cbir.training.frozen.features import Features, embed_once
from cbir.training.frozen.head import FittedHead, HeadEpoch, head_of
from cbir.training.preflight import check_contents, check_material

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from cbir.images.decoding import Unread
    from cbir.training.frozen.joined import JoinedExtractors
    from cbir.training.material import Material
    from cbir.training.recipe import FrozenRecipe


@dataclass(frozen=True, slots=True, eq=False)
class FrozenTraining:
    """A light head, and all that it takes to measure it: no image need be embedded again.

    Args:
        head: as fitted; its projection over the joined extractors is the trained extractor.
        material: the images that could be read, a frame each.
        contents: (n_images,), each file's sha256.
        start: (n_images, dim), unit rows, by the frozen extractors alone.
        trained: (n_images, dim of the head), unit rows, with the head.
        unread: the files that could not be read, and why.
        notes: on the material, a line each.
    """

    head: FittedHead
    material: Material
    contents: tuple[str, ...]
    start: NDArray[np.float32]
    trained: NDArray[np.float32]
    unread: tuple[Unread, ...]
    notes: tuple[str, ...]


def train_frozen(
    material: Material,
    recipe: FrozenRecipe,
    joined: JoinedExtractors,
    features: Features | None = None,
    *,
    on_file: Callable[[], None] = lambda: None,
    on_epoch: Callable[[HeadEpoch], None] = lambda _: None,
) -> FrozenTraining:
    """Embed the images by the frozen extractors, and fit a head to those of the training part.

    The validation part chooses; of the test part nothing is used but that its images are embedded too.

    Args:
        material: as read.
        recipe: its head and its seed.
        joined: its extractors, found.
        features: how the vectors come about; with a cache, once.
        on_file: called after each file.
        on_epoch: called after each epoch, or candidate, of the head.

    Raises:
        CbirError: an extractor can't be opened, or decoding workers can't be started.
        ItemsError: the material can't be trained on, before or after unreadable files are left out.
        SpecError: the recipe has no such head, or a setting of it makes no sense.
        VectorError: the training vectors are all the same.
    """
    kind, settings = head_of(recipe.head)
    check_material(material)
    found = embed_once(joined.resolved, [image.path for image in material.images], features, on_file=on_file)
    if not len(found.rows):
        raise ItemsError(
            f"{material.source}: none of {len(material.images)} images can be read; the first: "
            f"{found.unread[0].path}: {found.unread[0].detail}."
        )
    readable = material.take(found.rows)
    contents = tuple(found.contents[int(row)] for row in found.rows)
    check_contents(readable, contents)
    notes = check_material(readable)
    head = kind.fit(readable, found.vectors, settings, recipe.seed, on_epoch)
    trained = unit_rows(head.projection.apply(found.vectors))
    return FrozenTraining(head, readable, contents, found.vectors, trained, found.unread, notes)
