"""Made hits and evidence."""

from __future__ import annotations

import numpy as np

from cbir.types import Hit, Item
from classifiers.labels.fitting import Evidence
from classifiers.vote import Ballots


def hits_of(*said: tuple[float, str | None]) -> list[Hit]:
    """Hits with these scores and labels, in this order."""
    return [
        Hit(rank, score, Item(f"id{rank}", f"/{rank}.png", label=label))
        for rank, (score, label) in enumerate(said, start=1)
    ]


def evidence_of(n_groups: int, seed: int, *, signal: float = 0.15, n_hits: int = 15) -> Evidence:
    """Two images a patient, two classes; hits with the right label score higher by the patient's own luck."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_groups), 2)
    codes = rng.integers(2, size=n_groups)[groups]
    luck = rng.exponential(signal, n_groups)[groups]
    labels = rng.integers(2, size=(len(groups), n_hits))
    scores = rng.normal(0.5, 0.1, labels.shape) + luck[:, np.newaxis] * (labels == codes[:, np.newaxis])
    return Evidence(Ballots(scores, labels), codes, groups)
