"""Posteriors that know something of their labels."""

from __future__ import annotations

import numpy as np

from classifiers.evaluation.judged import Judged, judge
from classifiers.measures import Draws
from classifiers.predictions import Predictions


def table(
    n: int = 90,
    n_classes: int = 4,
    *,
    knows: float = 2.0,
    seed: int = 0,
    per_group: int = 3,
    labels: list[int] | None = None,
    ordinal: bool = True,
    label_seed: int = 0,
) -> Predictions:
    """Tables of one ``label_seed`` have the same labels."""
    of_label = np.random.default_rng(label_seed)
    rng = np.random.default_rng(seed + 100)
    prior = np.linspace(1, 2, n_classes)
    codes = np.array(labels) if labels else of_label.choice(n_classes, n, p=prior / prior.sum())
    scores = rng.normal(size=(len(codes), n_classes)) + knows * (np.arange(n_classes) == codes[:, None])
    posteriors = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    names = tuple(str(code + 1) for code in range(n_classes))
    return Predictions(
        paths=tuple(f"/images/{row}.png" for row in range(len(codes))),
        labels=tuple(names[code] for code in codes),
        groups=tuple(f"p{row // per_group}" for row in range(len(codes))),
        splits=(None,) * len(codes),
        classes=names,
        posteriors=posteriors,
        is_ordinal=ordinal,
    )


def judged(*args, **kwargs) -> Judged:
    return judge(table(*args, **kwargs), "made")


def draws_of(labels, posteriors, weights=None) -> Draws:
    labels, posteriors = np.asarray(labels), np.asarray(posteriors, dtype=np.float64)
    return Draws(labels, posteriors, np.ones((1, len(labels))) if weights is None else np.asarray(weights))


def answering(labels, answers, n_classes: int) -> Draws:
    """Certain of each answer."""
    return draws_of(labels, np.eye(n_classes)[np.asarray(answers)])
