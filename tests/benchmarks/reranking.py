"""Re-ranking by posteriors against the plain search: ``python -m tests.benchmarks.reranking [--cache DIR]``.

For docs/results.md. Five splits of mini-MIAS by patient (50, 20, 30). A logistic regression over the frozen
vectors of DenseNet-121 stands for a classifier: it learns on train, val chooses the blend, and every test
image asks the training images, the 100 best of which are ordered anew. The gallery's posteriors are those of
the regression itself, which knows the gallery's labels, or cross-fitted by patient, which it does not.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from cbir.extractors.build import resolve_extractor
from cbir.training.frozen.features import Features, embed_once
from cbir.training.material import Material, Part, read_material
from classifiers.rerank.agreement import agreement
from classifiers.rerank.tuning import BLENDS
from tests.benchmarks.result_pages import write_page
from tests.benchmarks.seeds import SEEDS, Asked, gain, macro_mean, mean_and_deviation
from tests.benchmarks.tasks import Task, named, shared_folder

Vectors = NDArray[np.float32]

K, DEPTH, N_FOLDS = 10, 100, 5
HEADER = "| posteriors | right of test | blends | macro P@10 | sd | plain | sd | gain | p |"


@dataclass(frozen=True)
class Seed:
    """A split, with what the classifier says of every image of it."""

    material: Material
    vectors: Vectors
    posteriors: Vectors

    def precision(self, part: Part, blend: float) -> NDArray[np.float64]:
        """P@10 of a part's images among the training images."""
        gallery, codes = self.material.rows("train"), self.material.codes
        found = ((row, self._found(row, gallery, blend)) for row in self.rows(part))
        return np.array([np.mean(codes[hits] == codes[row]) for row, hits in found])

    def rows(self, part: Part) -> NDArray[np.intp]:
        return self.material.rows(part)

    def best_blend(self) -> float:
        """Of those that ``cbir classify tune`` tries, and of none."""
        codes = self.material.codes[self.rows("val")]
        macros = [macro_mean(self.precision("val", blend), codes) for blend in (0.0, *BLENDS)]
        return (0.0, *BLENDS)[int(np.argmax(macros))]

    def _found(self, row: int, gallery: NDArray[np.intp], blend: float) -> NDArray[np.intp]:
        similar = self.vectors[gallery] @ self.vectors[row]
        best = np.argsort(-similar, kind="stable")[:DEPTH]
        agreed = agreement(
            self.posteriors[row], self.posteriors[gallery[best]], is_ordinal=self.material.is_ordinal
        )
        scores = (1 - blend) * similar[best] + blend * agreed
        return gallery[best[np.argsort(-scores, kind="stable")[:K]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="density or severity; both without")
    parser.add_argument("--cache", type=Path, help="a folder that keeps the vectors")
    options, shared = parser.parse_args(), shared_folder()
    with tempfile.TemporaryDirectory() as name:
        page = write_page("densenet121", shared, Path(name))
        for task in named(options.names or ["density", "severity"]):
            items = str(task.items(shared, Path(name)))
            paths = [image.path for image in read_material(items, label_column=task.grades).images]
            vectors = embed_once(resolve_extractor(page), paths, Features(cache=options.cache)).vectors
            print(f"\n{task.name}\n\n{HEADER}\n{'|---' * 9}|")
            for cross_fitted in (False, True):
                print(row(task, items, vectors, cross_fitted=cross_fitted), flush=True)


def row(task: Task, items: str, vectors: Vectors, *, cross_fitted: bool) -> str:
    """A line of the table."""
    anew, plain, blends, right = Asked(), Asked(), [], []
    for number in SEEDS:
        material = read_material(items, label_column=task.grades, seed=number)
        seed = Seed(material, vectors, _posteriors(material, vectors, cross_fitted=cross_fitted))
        test = seed.rows("test")
        blends.append(seed.best_blend())
        right.append(float(np.mean(seed.posteriors[test].argmax(axis=1) == material.codes[test])))
        anew.add(test, seed.precision("test", blends[-1]))
        plain.add(test, seed.precision("test", 0.0))
    difference, p_value = gain(anew, plain, material.codes, material.groups)
    name = "cross-fitted by patient" if cross_fitted else "as fitted"
    means = " | ".join(mean_and_deviation(each.macro(material.codes)) for each in (anew, plain))
    shown = ", ".join(f"{blend:g}" for blend in blends)
    return f"| {name} | {np.mean(right):.3f} | {shown} | {means} | {difference} | {p_value} |"


def _posteriors(material: Material, vectors: Vectors, *, cross_fitted: bool) -> Vectors:
    train = material.rows("train")
    regression = _regression().fit(vectors[train], material.codes[train])
    found = regression.predict_proba(vectors)
    if cross_fitted:
        groups = [material.groups[row] for row in train]
        found[train] = cross_val_predict(
            _regression(), vectors[train], material.codes[train],
            groups=groups, cv=GroupKFold(N_FOLDS), method="predict_proba",
        )  # fmt: skip
    return found.astype(np.float32)


def _regression() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))


if __name__ == "__main__":
    main()
