"""What is asked of a material: its descriptors, a network's logits, a published classifier's predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from cbir.extractors.handcrafted.network import descriptor_network
from classifiers.predictions import Predictions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.extractors.spec import BranchSpec
    from cbir.training.feeding.decoded import Decoded, Pixels
    from cbir.training.feeding.feed import Feed
    from cbir.training.material import Part
    from classifiers.classifier import Classifier
    from classifiers.networks.network import ClassifierNetwork

_BATCH = 32
_N_NETWORK_PLANS = 2


def validation_logits(network: ClassifierNetwork, feed: Feed) -> NDArray[np.float64]:
    """(n_validation, n_classes), of the images as they are, where the network is."""
    device = next(network.parameters()).device
    network.eval()
    found = []
    with torch.inference_mode():
        for first in range(0, len(feed.validation), _BATCH):
            inputs = feed.validation_images(feed.validation[first : first + _BATCH])
            inputs = inputs if isinstance(inputs, tuple) else (inputs,)
            logits, _features = network(*(each.to(device) for each in inputs))
            found.append(logits.double().cpu().numpy())
    return np.concatenate(found)


def predict_part(classifier: Classifier, decoded: Decoded, part: Part) -> Predictions:
    """Ask a published classifier for a part of the images, as `cbir classify predict` does.

    Args:
        classifier: as opened.
        decoded: with the two plans of the network, and one a descriptor.
        part: of the split; may be empty.

    Raises:
        TrainingError: a decoded image is gone.
        VectorError: an answer is not finite.
    """
    material = decoded.material
    rows = material.rows(part)
    pixels = (decoded.pixels[1], *decoded.pixels[_N_NETWORK_PLANS:])
    batches = [rows[first : first + _BATCH] for first in range(0, len(rows), _BATCH)]
    answers = [classifier.answer([_floats(each, batch) for each in pixels]).posteriors for batch in batches]
    of_part = material.take(rows)
    return Predictions(
        paths=tuple(image.path for image in of_part.images),
        labels=tuple(material.classes[code] for code in of_part.codes),
        groups=of_part.groups,
        splits=of_part.parts,
        classes=material.classes,
        posteriors=np.concatenate(answers) if answers else np.zeros((0, len(material.classes))),
        is_ordinal=material.is_ordinal,
    )


def describe_images(descriptors: Sequence[BranchSpec], decoded: Decoded) -> NDArray[np.float32] | None:
    """Describe all images as they are, once; None without descriptors.

    Args:
        descriptors: handcrafted branches.
        decoded: with a plan of each after the network's two.

    Returns:
        (n_images, n_described).
    """
    if not descriptors:
        return None
    n_images = len(decoded.material.images)
    columns = []
    for branch, pixels in zip(descriptors, decoded.pixels[_N_NETWORK_PLANS:], strict=True):
        describe = descriptor_network(branch)
        rows = [np.arange(first, min(first + _BATCH, n_images)) for first in range(0, n_images, _BATCH)]
        columns.append(np.concatenate([describe(_floats(pixels, each)) for each in rows]))
    return np.concatenate(columns, axis=1, dtype=np.float32)


def _floats(pixels: Pixels, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    return np.asarray(pixels[rows], dtype=np.float32)
