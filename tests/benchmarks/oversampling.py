"""Oversampling before the split against after it: ``python -m tests.benchmarks.oversampling [--cache DIR]``.

For docs/results.md. The same linear classifier over the same frozen vectors of mini-MIAS, normal, benign or
malignant, five seeds, 70 % for training. What differs is only what the test part is: images of patients that
were never seen, or images whose copies (or whose patient's other breast) the classifier has learned.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from cbir.extractors.build import resolve_extractor
from cbir.training.frozen.features import Features, embed_once
from cbir.training.material import read_material
from tests.benchmarks.result_pages import write_page
from tests.benchmarks.seeds import SEEDS, mean_and_deviation
from tests.benchmarks.tasks import TASKS, shared_folder

Rows = NDArray[np.intp]
Split = Callable[[NDArray[np.int64], NDArray[np.int64], np.random.Generator], tuple[Rows, Rows]]

SHARE = 0.7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, help="a folder that keeps the vectors")
    options, shared = parser.parse_args(), shared_folder()
    with tempfile.TemporaryDirectory() as name:
        page = write_page("densenet121", shared, Path(name))
        task = TASKS["severity"]
        material = read_material(str(task.items(shared, Path(name))), label_column=task.label)
        paths = [image.path for image in material.images]
        vectors = embed_once(resolve_extractor(page), paths, Features(cache=options.cache)).vectors
    groups = np.unique(np.asarray(material.groups), return_inverse=True)[1]
    print("| protocol | accuracy | sd | macro F1 | sd |\n|---|---|---|---|---|")
    for protocol, split in SPLITS.items():
        print(f"| {protocol} | {_measured(vectors, material.codes, groups, split)} |", flush=True)
    largest = np.bincount(material.codes).max() / len(material.codes)
    print(f"| *always the most frequent* | {largest:.3f} | | {_constant_f1(material.codes):.3f} | |")


def after(
    codes: NDArray[np.int64], groups: NDArray[np.int64], random: np.random.Generator
) -> tuple[Rows, Rows]:
    """By patient; then the training part alone is oversampled."""
    chosen = random.permutation(groups.max() + 1)[: round(SHARE * (groups.max() + 1))]
    is_train = np.isin(groups, chosen)
    return oversampled(np.flatnonzero(is_train), codes, random), np.flatnonzero(~is_train)


def by_image(
    codes: NDArray[np.int64], groups: NDArray[np.int64], random: np.random.Generator
) -> tuple[Rows, Rows]:
    """By image, so that a patient is in both parts; then the training part is oversampled."""
    train, test = _cut(np.arange(len(groups)), random)
    return oversampled(train, codes, random), test


def before(
    codes: NDArray[np.int64], groups: NDArray[np.int64], random: np.random.Generator
) -> tuple[Rows, Rows]:
    """All images are oversampled, and then split: copies of an image are in both parts."""
    return _cut(oversampled(np.arange(len(groups)), codes, random), random)


SPLITS: dict[str, Split] = {
    "split by patient, then oversampled": after,
    "split by image, then oversampled": by_image,
    "oversampled, then split": before,
}


def oversampled(rows: Rows, codes: NDArray[np.int64], random: np.random.Generator) -> Rows:
    """Images of the rarer classes again, until every class has as many."""
    of_class = [rows[codes[rows] == code] for code in np.unique(codes)]
    most = max(map(len, of_class))
    again = [each[random.integers(len(each), size=most - len(each))] for each in of_class]
    return np.concatenate([rows, *again])


def _cut(rows: Rows, random: np.random.Generator) -> tuple[Rows, Rows]:
    order = random.permutation(rows)
    n_train = round(SHARE * len(rows))
    return order[:n_train], order[n_train:]


def _measured(
    vectors: NDArray[np.float32], codes: NDArray[np.int64], groups: NDArray[np.int64], split: Split
) -> str:
    accuracy, macro_f1 = [], []
    for seed in SEEDS:
        train, test = split(codes, groups, np.random.default_rng(seed))
        mean, deviation = vectors[train].mean(axis=0), vectors[train].std(axis=0) + 1e-6
        scaled = (vectors - mean) / deviation
        answers = LogisticRegression(max_iter=2000).fit(scaled[train], codes[train]).predict(scaled[test])
        accuracy.append(float(np.mean(answers == codes[test])))
        macro_f1.append(float(f1_score(codes[test], answers, average="macro")))
    return f"{mean_and_deviation(accuracy)} | {mean_and_deviation(macro_f1)}"


def _constant_f1(codes: NDArray[np.int64]) -> float:
    constant = np.full_like(codes, np.bincount(codes).argmax())
    return float(f1_score(codes, constant, average="macro", zero_division=0))


if __name__ == "__main__":
    main()
