"""What a training makes small; one file a loss, and a line here. Torch comes with the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.training.settings import Choice, Number, Setting

if TYPE_CHECKING:
    from collections.abc import Mapping

_TINY = 1e-6

LOSSES: Mapping[str, Mapping[str, Setting]] = {
    "cross_entropy": {"label_smoothing": Number(0.0, most=0.999)},
    "triplet": {
        "margin": Number(0.05, _TINY),
        "positives": Choice(("easy", "hard", "all")),
        "negatives": Choice(("semihard", "hard", "easy", "all")),
    },
    "centre": {"rate": Number(0.5, _TINY)},
    "multi_similarity": {
        "epsilon": Number(0.1),
        "alpha": Number(2.0, _TINY),
        "beta": Number(50.0, _TINY),
        "base": Number(0.5, -1.0, 1.0),
    },
    "sup_con": {"temperature": Number(0.1, _TINY)},
    "proxy_anchor": {"margin": Number(0.1), "alpha": Number(32.0, _TINY)},
    "rank_n_contrast": {"temperature": Number(2.0, _TINY)},
}
"""Every loss by the name that a recipe calls it, with its settings; the file of that name makes it."""

OF_LOGITS = frozenset({"cross_entropy"})
"""Losses that read a classifier's answers; the others read embeddings."""

NEEDS_ORDER = frozenset({"rank_n_contrast"})
"""Losses that read a label's code as its grade."""
