"""Cross-entropy: the classifier names the class."""

from __future__ import annotations

from torch import nn


class CrossEntropyLoss(nn.CrossEntropyLoss):
    """The mean over the batch of each label's surprise: (B, n_classes) and (B,) codes to a number.

    Args:
        label_smoothing: the share of a label that is spread evenly over all classes, from 0 to below 1.

    Source: Szegedy et al., CVPR 2016, section 7.
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__(label_smoothing=label_smoothing)
