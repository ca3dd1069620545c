"""What the map of a classifier's page is made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cbir.errors import ItemsError
from classifiers.predictions import UNKNOWN
from cli.classifying import predictions_of
from cli.terminal import note

if TYPE_CHECKING:
    from classifiers.evaluation.judged import Judged
    from cli.classifying import Asked
    from cli.settings import Settings


def features_at(path: Path, asked: Asked) -> NDArray[np.float32]:
    """(n_images, dim), a row for each image that is judged, of a file with a row for each that was predicted.

    Raises:
        ItemsError: no such file, or not a row an image.
    """
    codes = predictions_of(asked.predictions, asked).codes
    try:
        features = np.asarray(np.load(path, allow_pickle=False), dtype=np.float32)
    except (OSError, ValueError, TypeError) as error:
        raise ItemsError(f"{path} can't be read as .npy: {error}. Save an array of numbers.") from error
    if features.ndim != 2 or len(features) != len(codes):  # noqa: PLR2004 - rows and columns
        raise ItemsError(
            f"{path} has the shape {features.shape}, {asked.predictions} {len(codes)} images. Give "
            "a row an image of the table, in its order."
        )
    return np.asarray(features[codes != UNKNOWN], dtype=np.float32)


def embeddings_of_run(judged: Judged, asked: Asked, settings: Settings) -> NDArray[np.float32]:
    """(n_images, dim), what a run's network makes of the images judged; NaN of those that can't be read.

    Raises:
        CbirError: the run has no classifier, or none of the images can be read.
    """
    from cbir.images.decoding import Decoding
    from cbir.images.settings import ReadPolicy
    from classifiers.classifier import open_classifier
    from classifiers.predicting import classify_files

    classifier = open_classifier(asked.predictions)
    policy = ReadPolicy(**settings.policy)  # type: ignore[arg-type]  # it checks
    paths = judged.predictions.paths
    found = classify_files(classifier, paths, Decoding(settings.limits, policy, settings.workers))
    if not len(found.rows):
        raise ItemsError(
            f"None of the {len(paths)} images can be read, the first being {paths[0]}: "
            f"{found.unread[0].reason}. Put them where the table says, or leave out --map."
        )
    if found.unread:
        note(f"{len(found.unread)} of {len(paths)} images can't be read and are not on the map")
    embeddings = np.full((len(paths), found.embeddings.shape[1]), np.nan, dtype=np.float32)
    embeddings[found.rows] = found.embeddings
    return embeddings
