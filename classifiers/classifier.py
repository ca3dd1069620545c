"""A trained classifier, opened from its folder without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import SpecError, VectorError, WeightsError
from cbir.extractors.handcrafted.network import descriptor_network
from cbir.runtime.network import INPUT_NAME
from classifiers.folder import NETWORK_FILE, read_spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.images.steps import Step
    from cbir.runtime.onnxruntime import OrtModel
    from classifiers.spec import ClassifierSpec

DESCRIBED = "described"
"""The input of the descriptors' numbers."""

OUTPUTS = ("logits", "features", "embeddings")
"""What an exported network answers."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a classifier says of B images.

    Args:
        posteriors: (B, n_classes), each row a probability a class: the softmax of logits / temperature.
        logits: (B, n_classes).
        features: (B, D, H, W), the last feature map of the first backbone.
        embeddings: (B, dim), what the last layer reads, not normalised; of hybrid-fusion the fused vector.
    """

    posteriors: NDArray[np.float64]
    logits: NDArray[np.float32]
    features: NDArray[np.float32]
    embeddings: NDArray[np.float32]


class Classifier:
    """Prepared pixels to posteriors; may be asked by several threads.

    Args:
        spec: what decides the numbers.
        model: its exported network.

    Raises:
        SpecError: the network has another number of classes, or a descriptor has other settings.
    """

    def __init__(self, spec: ClassifierSpec, model: OrtModel) -> None:
        n_classes = model.widths.get(OUTPUTS[0])
        if n_classes != len(spec.classes):
            raise SpecError(
                f"Classifier {spec.name!r}: its network has {n_classes} logits, its spec {len(spec.classes)} "
                "classes; train it anew."
            )
        self.spec = spec
        self._model = model
        self._descriptors = [descriptor_network(each) for each in spec.descriptors]

    @property
    def plans(self) -> tuple[tuple[Step, ...], ...]:
        """What is done to each image, for a ``DecodePool``."""
        return self.spec.plans()

    def answer(self, prepared: Sequence[NDArray[np.float32]]) -> Answers:
        """Answer a batch.

        Args:
            prepared: one array a plan, (B, channels, H, W), B >= 1, as the plan's steps leave it.

        Raises:
            VectorError: the arrays do not fit the plans, or a logit is not finite.
        """
        self._check(prepared)
        inputs = {INPUT_NAME: np.ascontiguousarray(prepared[0], dtype=np.float32)}
        if self._descriptors:
            pairs = zip(self._descriptors, prepared[1:], strict=True)
            inputs[DESCRIBED] = np.concatenate([describe(batch) for describe, batch in pairs], axis=1)
        logits, features, embeddings = self._model(inputs, OUTPUTS)
        if not np.isfinite(logits).all():
            raise VectorError(f"Classifier {self.spec.name!r} answered with a logit that is not finite.")
        return Answers(softmax(logits, self.spec.temperature), logits, features, embeddings)

    def _check(self, prepared: Sequence[NDArray[np.float32]]) -> None:
        found = [batch.shape for batch in prepared]
        n_images = max(found[0][0], 1) if found and found[0] else 1
        shapes = [each.input_shape for each in (self.spec.branch, *self.spec.descriptors)]
        wanted = [(n_images, *shape) for shape in shapes]
        if found != wanted:
            raise VectorError(
                f"Classifier {self.spec.name!r} got pixels of shapes {found}; it takes {wanted}."
            )


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float64]:
    """Logits (n, n_classes) to posteriors; a higher temperature makes them more even."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    posteriors: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return posteriors


def open_classifier(folder: Path, *, n_threads: int | None = None) -> Classifier:
    """Open what ``export_classifier`` wrote; imports neither torch nor timm.

    Args:
        folder: of a run of `cbir classify train`, or a copy of its ``classifier.json`` and ``network.onnx``.
        n_threads: of the network; None takes one a physical core.

    Raises:
        SpecError: no classifier is there, or it makes no sense.
        WeightsError: its network is missing, or damaged.
    """
    from cbir.runtime.onnxruntime import OrtModel

    spec = read_spec(folder)
    path = folder / NETWORK_FILE
    if not path.is_file():
        raise WeightsError(
            f"The classifier's network {path} is missing; copy the whole folder, or train anew."
        )
    try:
        model = OrtModel(path, n_threads=n_threads)
    except Exception as error:  # ONNX Runtime's classes have no common root below
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise WeightsError(
            f"The classifier's network {path} can't be opened: {reason}; train anew."
        ) from error
    return Classifier(spec, model)
