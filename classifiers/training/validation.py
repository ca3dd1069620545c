"""What the validation part says of a classifier in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from classifiers.measures import MEASURES, Draws
from classifiers.measures.chance import majority_posteriors

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from cbir.training.feeding.feed import Feed


@dataclass(frozen=True, slots=True)
class Validated:
    """The loss, macro F1 and accuracy; and macro F1 of always answering the training part's largest class."""

    loss: float
    macro_f1: float
    accuracy: float
    constant: float


def validate(feed: Feed, logits: Tensor, loss: nn.Module) -> Validated:
    """Measure answers to the validation part.

    Args:
        feed: whose part it is.
        logits: (n_validation, n_classes), on the CPU.
        loss: that is made small.
    """
    codes = feed.codes[feed.validation]
    counts = np.bincount(feed.codes[feed.train], minlength=feed.n_classes)
    always = np.broadcast_to(majority_posteriors(counts), logits.shape)
    answered, constant = _once(codes, logits.softmax(dim=1).double().numpy()), _once(codes, always)
    with torch.no_grad():
        value = float(loss(logits, torch.from_numpy(codes)))
    f1, accuracy = MEASURES["macro_f1"], MEASURES["accuracy"]
    return Validated(value, float(f1(answered)[0]), float(accuracy(answered)[0]), float(f1(constant)[0]))


def _once(codes: NDArray[np.int64], posteriors: NDArray[np.float64]) -> Draws:
    return Draws(codes, posteriors, np.ones((1, len(codes))))
