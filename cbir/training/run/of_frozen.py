"""A recipe that fits a light head on extractors that stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.training.frozen import Features, train_frozen
from cbir.training.run.publish import Made, publish

if TYPE_CHECKING:
    from cbir.training.frozen import FrozenTraining, JoinedExtractors
    from cbir.training.material import Material
    from cbir.training.recipe import FrozenRecipe
    from cbir.training.run.folder import RunFolder
    from cbir.training.run.options import RunOptions, Watcher


def run_frozen(
    recipe: FrozenRecipe,
    material: Material,
    joined: JoinedExtractors,
    run: RunFolder,
    *,
    options: RunOptions,
    watch: Watcher,
) -> FrozenTraining:
    """Embed, fit and publish; minutes at most, so that nothing is kept on the way but the vectors.

    Raises:
        CbirError: as ``train_frozen``.
        OSError: the disk refused.
    """
    watch.begin(f"embedding with {joined.spec.name}", len(material.images))
    features = Features(
        options.cache.parent / "features", options.decoding, options.torch_device, options.allow_pickle
    )
    trained = train_frozen(material, recipe, joined, features, on_file=watch.advance)
    files = tuple(file.path if file else None for file in joined.resolved.files)
    made = Made(joined.spec, joined.sources, files, trained.head.projection)
    publish(run.path, made, remarks=[f"Trained by cbir train {recipe.name}: see card.md. Research use only."])
    return trained
