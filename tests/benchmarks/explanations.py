"""``python -m tests.benchmarks.explanations``: are the maps the weights' doing, and do they show the lesion?

Resemblance maps of queries of mini-MIAS and their nearest images of other patients, by DenseNet121 on the
breast. Two figures, whatever they are:

- the rank correlation of maps, within the breast, with those of the same network with random weights: near 1
  where the picture alone decides them;
- the share of a query's map that lies in the circle of its lesion, over the circle's share of the area, both
  within the breast: 1 is chance. Mean ratio, with a 95 % bootstrap interval over patients. Of the box around
  the breast, background and all, the ratio is larger for any map that knows the breast: printed, too.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cbir.extractors.extractor import Extractor
from cbir.extractors.spec import ExtractorSpec
from cbir.images.pool import DecodePool
from cbir.images.steps.crop_breast import object_mask
from classifiers.explain.overlay import read_picture
from classifiers.explain.pair import Looked, explain_pair
from classifiers.explain.seen import VIEWS, explained_plans

_SIDE_PX = 256
_N_DRAWS = 2000

PAGE = """
name = "breast"
[[branch]]
backbone = "timm:densenet121"
pooling = "model"
dim = 1024
preprocess = [
    { step = "crop_breast" },
    { step = "resize", height_px = 448, width_px = 448, fit = "pad", interpolation = "area" },
    { step = "normalise", mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225] },
]
[branch.weights]
source = "file:WEIGHTS"
name = "densenet121"
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=40, help="with a lesion, one a patient (default 40)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    shared = Path(os.environ.get("CBIR_TEST_DATA", Path(__file__).parents[2] / ".." / "shared")).resolve()
    if not (shared / "data").is_dir():
        sys.exit(f"no test data in {shared}; set CBIR_TEST_DATA")
    rows = lesions(shared / "data" / "mini_mias", arguments.images, arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        trained, random = made_extractors(shared / "weights", Path(name), arguments.seed)
        maps, others = maps_of(trained, rows), maps_of(random, rows)
    pairs = zip(maps, others, strict=True)
    correlations = [rank_correlation(one.heat, other.heat, one.breast) for one, other in pairs]
    print(f"{len(rows)} lesions of as many patients, DenseNet121 at 448 px on the breast's box")
    print(f"rank correlation with random weights: median {np.median(correlations):.3f}")
    for name, found in (("", maps), (", random weights", others)):
        breast = np.array([ratio(each.heat, each.breast, row) for each, row in zip(found, rows, strict=True)])
        box = np.array([ratio(each.heat, each.box, row) for each, row in zip(found, rows, strict=True)])
        print(f"lesion over chance, within the breast{name}: {interval(breast, arguments.seed)}")
        print(f"  above 1 in {np.mean(breast > 1):.0%}; within the box: {interval(box, arguments.seed)}")


def lesions(folder: Path, n: int, seed: int) -> list[dict[str, str]]:
    """One image a patient that has a circle, so many at most."""
    with (folder / "labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["radius"]]
    by_patient = {row["patient_id"]: row | {"file": str(folder / row["path"])} for row in reversed(rows)}
    patients = np.random.default_rng(seed).permutation(sorted(by_patient))[:n]
    return [by_patient[patient] for patient in patients.tolist()]


def made_extractors(weights: Path, folder: Path, seed: int) -> tuple[Extractor, Extractor]:
    """The network as it was trained, and with weights drawn anew."""
    import timm
    import torch
    from safetensors.torch import save_file

    from cbir.extractors.build import load_extractor
    from cbir.extractors.exported import export, open_exported

    torch.manual_seed(seed)
    drawn = timm.create_model("densenet121", num_classes=0).state_dict()
    save_file({name: tensor.contiguous() for name, tensor in drawn.items()}, folder / "random.safetensors")
    opened = []
    for path in (weights / "densenet121.fp16.safetensors", folder / "random.safetensors"):
        (folder / "page.toml").write_text(PAGE.replace("WEIGHTS", str(path)))
        extractor = load_extractor(folder / "page.toml")
        export(extractor, folder)
        opened.append(open_exported(extractor.spec, folder, tta=VIEWS))
    return opened[0], opened[1]


@dataclass(frozen=True)
class Map:
    """A query's map, where the network looked, and where the breast is in that."""

    heat: NDArray[np.float64]
    box: NDArray[np.bool_]
    breast: NDArray[np.bool_]


def maps_of(extractor: Extractor, rows: list[dict[str, str]]) -> list[Map]:
    """Of each image its map, explained by the nearest other one."""
    looked = list(look(extractor, extractor.spec, [row["file"] for row in rows]))
    vectors = np.concatenate([each.seen.embedded(extractor) for each in looked])
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -1.0)
    found = []
    for number, nearest in enumerate(scores.argmax(axis=1).tolist()):
        pair = explain_pair(looked[number], looked[nearest], extractor)
        if pair.query is None:
            raise RuntimeError("DenseNet121 is pooled by the mean.")
        grey = read_picture(looked[number].picture)[..., 0].astype(np.float32)
        box = pair.query.heat != 0
        found.append(Map(pair.query.heat.clip(min=0), box, box & object_mask(grey).astype(bool)))
    return found


def look(extractor: Extractor, spec: ExtractorSpec, files: list[str]) -> Iterator[Looked]:
    with DecodePool(spec.read, explained_plans(spec), thumbnail_side_px=_SIDE_PX) as pool:
        for file in files:
            yield Looked.at(extractor, pool.decode(Path(file).read_bytes())[0])


def ratio(heat: NDArray[np.float64], within: NDArray[np.bool_], row: dict[str, str]) -> float:
    """The map's share in the lesion's circle, over the circle's share of the area."""
    side = heat.shape[0]
    scale = side / 1024
    x, y = float(row["x"]) * scale, (1024 - float(row["y_from_bottom"])) * scale
    down, across = np.mgrid[:side, : heat.shape[1]] + 0.5
    circle = (across - x) ** 2 + (down - y) ** 2 <= (float(row["radius"]) * scale) ** 2
    inside = circle & within
    return float(heat[inside].sum() / heat[within].sum() / (inside.sum() / within.sum()))


def rank_correlation(
    one: NDArray[np.float64], other: NDArray[np.float64], within: NDArray[np.bool_]
) -> float:
    """Spearman's."""
    from scipy.stats import spearmanr

    return float(spearmanr(one[within], other[within]).statistic)


def interval(values: NDArray[np.float64], seed: int) -> str:
    draws = np.random.default_rng(seed).integers(0, len(values), (_N_DRAWS, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
    return f"mean {values.mean():.2f} [{low:.2f}, {high:.2f}], median {np.median(values):.2f}"


if __name__ == "__main__":
    main()
