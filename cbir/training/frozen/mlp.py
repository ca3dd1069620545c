"""The head of two layers over frozen vectors: z-score → hidden, batch norm, ReLU, dropout → dim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from cbir.extractors.fusion import unit_rows
from cbir.extractors.projection import Layer, Projection
from cbir.training.frozen.head import FittedHead, HeadEpoch, Tell
from cbir.training.frozen.validation import validation_precision
from cbir.training.seeds import drawn_from

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.training.material import Material
    from cbir.training.settings import Value

_NOTHING = 1e-6
"""Of the largest standard deviation: less is none."""


@dataclass(frozen=True, slots=True)
class MlpSettings:
    """What a recipe says of the head.

    Args:
        hidden: numbers in the middle.
        dim: of the embedding.
        dropout: of the middle.
        epochs: all are gone through; the best on validation is kept.
        batch: vectors a step.
        rate: of AdamW, on a cosine down to 0.
        weight_decay: of AdamW.
        label_smoothing: of the cross-entropy.
    """

    hidden: int
    dim: int
    dropout: float
    epochs: int
    batch: int
    rate: float
    weight_decay: float
    label_smoothing: float

    @classmethod
    def of(cls, settings: Mapping[str, Value]) -> Self:
        """From a page, checked."""
        numbers = {key: float(value) for key, value in settings.items()}
        whole = {key: int(numbers.pop(key)) for key in ("hidden", "dim", "epochs", "batch")}
        return cls(**whole, **numbers)  # type: ignore[arg-type]  # the page's keys are these


class Mlp(nn.Module):
    """The head in training, with the classifier that teaches it."""

    def __init__(self, n_in: int, n_classes: int, settings: MlpSettings) -> None:
        super().__init__()
        self.first = nn.Linear(n_in, settings.hidden)
        self.norm = nn.BatchNorm1d(settings.hidden)
        self.dropout = nn.Dropout(settings.dropout)
        self.last = nn.Linear(settings.hidden, settings.dim)
        self.classifier = nn.Linear(settings.dim, n_classes)

    def forward(self, vectors: Tensor) -> Tensor:
        """(B, n_in), z-scored, to (B, dim), not normalised."""
        embedded: Tensor = self.last(self.dropout(torch.relu(self.norm(self.first(vectors)))))
        return embedded


def fit_mlp(
    material: Material, vectors: NDArray[np.float32], settings: MlpSettings, *, seed: int, tell: Tell
) -> FittedHead:
    """Train on the training part by cross-entropy, each class counting the same; keep the best epoch.

    On the CPU, and the same for the same seed on the same machine.

    Args:
        material: with a training and a validation part.
        vectors: (n_images, n_in).
        settings: of the head and its training.
        seed: of the first weights, the order and the dropout.
        tell: called after each epoch.

    Source: arXiv 2507.19843, whose handcrafted descriptors go through such a head.
    """
    rows = material.rows("train")
    mean, inverse = _z_score(vectors[rows])
    scored = torch.from_numpy((vectors[rows] - mean) * inverse)
    codes = torch.from_numpy(material.codes[rows])
    best: tuple[Projection, int] | None = None
    epochs: list[HeadEpoch] = []
    with drawn_from(seed):
        model = Mlp(vectors.shape[1], len(material.classes), settings)
        for number, loss in enumerate(_train(model, scored, codes, settings), start=1):
            head = folded(mean, inverse, model)
            precision = validation_precision(material, unit_rows(head.apply(vectors)))
            is_best = best is None or precision > max(each.precision for each in epochs)
            epochs.append(HeadEpoch(number, loss, precision, is_best))
            best = (head, number) if is_best else best
            tell(epochs[-1])
    kept, number = cast("tuple[Projection, int]", best)
    highest = max(each.precision for each in epochs)
    return FittedHead(kept, highest, f"epoch {number} of {settings.epochs}", tuple(epochs))


def folded(mean: NDArray[np.float32], inverse: NDArray[np.float32], model: Mlp) -> Projection:
    """The trained head as a projection: z-score and batch norm are part of its first layer.

    Args:
        mean: (n_in,), of the z-score.
        inverse: (n_in,), by what it multiplies.
        model: as in evaluation.
    """
    norm = model.norm
    scale = _double(norm.weight) / np.sqrt(_double(cast("Tensor", norm.running_var)) + norm.eps)
    bias = (_double(model.first.bias) - _double(cast("Tensor", norm.running_mean))) * scale
    return Projection.through(
        mean,
        [
            Layer.of(inverse[:, None] * _double(model.first.weight).T * scale, bias + _double(norm.bias)),
            Layer.of(_double(model.last.weight).T, _double(model.last.bias)),
        ],
    )


def _train(model: Mlp, vectors: Tensor, codes: Tensor, settings: MlpSettings) -> Iterator[float]:
    """An epoch a step, giving its mean loss; the model is in evaluation mode whenever it stops."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.rate, weight_decay=settings.weight_decay)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.epochs)
    counts = torch.bincount(codes, minlength=model.classifier.out_features)
    weights = len(codes) / (counts.clamp(min=1) * int((counts > 0).sum()))
    criterion = nn.CrossEntropyLoss(weight=weights, label_smoothing=settings.label_smoothing)
    for _ in range(settings.epochs):
        model.train()
        losses = []
        for batch in _batches(torch.randperm(len(codes)), settings.batch):
            loss = criterion(model.classifier(model(vectors[batch])), codes[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
        cosine.step()
        model.eval()
        yield float(np.mean(losses))


def _batches(order: Tensor, size: int) -> list[Tensor]:
    """As even as can be: batch norm can't take one row alone."""
    return list(torch.tensor_split(order, -(-len(order) // size)))


def _z_score(vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The mean, and what the rest is multiplied by: 0 where nothing varies."""
    mean: NDArray[np.float32] = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = vectors.std(axis=0, dtype=np.float64)
    varies = spread > spread.max() * _NOTHING
    return mean, np.divide(1.0, spread, out=np.zeros_like(spread), where=varies).astype(np.float32)


def _double(tensor: Tensor) -> NDArray[np.float64]:
    array: NDArray[np.float64] = tensor.detach().numpy().astype(np.float64)
    return array
