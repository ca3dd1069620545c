"""pytorch-metric-learning's AccuracyCalculator: where it agrees, and where not and why, both values shown."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
from published import published_items, whole_study

from cbir.evaluation.measures import MEASURES
from cbir.evaluation.protocol import Study
from cbir.types import Item

NAMES = {
    "precision_at_1": "precision",
    "r_precision": "r_precision",
    "mean_average_precision_at_r": "map_at_r",
    "mean_average_precision": "average_precision",
    "mean_reciprocal_rank": "reciprocal_rank",
}


def made() -> tuple[list[Item], np.ndarray]:
    """Sixty noisy unit vectors of four labels, 6 to 24 of each."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2, 3], [6, 12, 18, 24])
    vectors = np.eye(4, 12)[labels] + 0.5 * rng.standard_normal((60, 12))
    items = [Item(f"i{number:04}", f"/g/{number}", label=str(label)) for number, label in enumerate(labels)]
    return items, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def metric_learning():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("pytorch_metric_learning.utils.accuracy_calculator")


@pytest.fixture(scope="module", params=["made", "published"])
def gallery(request):
    if request.param == "made":
        return made()
    items, vectors = published_items(request.getfixturevalue("shared_data"))
    return [replace(each, group=None) for each in items], vectors  # it knows no groups


def theirs(metric_learning, gallery, *, k: int | None = None, macro: bool = False) -> dict[str, float]:
    """By the plain sort of cosines that ours is made of: its own search breaks ties of 32 bits."""
    import torch

    items, vectors = gallery
    order = np.argsort(-(vectors @ vectors.T), axis=1, kind="stable")
    others = np.array([row[row != number] for number, row in enumerate(order)])

    def search(query, n, reference, includes_query):
        assert includes_query
        return None, torch.from_numpy(others[:, :n])

    calculator = metric_learning.AccuracyCalculator(
        include=tuple(NAMES), k=k, avg_of_avgs=macro, device=torch.device("cpu"), knn_func=search
    )
    labels = torch.tensor([int(each.label) for each in items])
    return calculator.get_accuracy(torch.from_numpy(vectors), labels)


def ours(study: Study, name: str, k: int) -> np.ndarray:
    cut = 1 if name == "precision_at_1" else k
    return np.array([MEASURES[NAMES[name]](each, cut) for each in study.rankings])


def test_whole_lists_agree_micro_and_macro(gallery, metric_learning):
    study = whole_study(*gallery)
    micro, macro = (theirs(metric_learning, gallery, macro=each) for each in (False, True))
    for name in NAMES:
        sample = study.sample(ours(study, name, study.k))
        assert micro[name] == pytest.approx(sample.mean("micro"), abs=1e-6)
        assert macro[name] == pytest.approx(sample.mean("macro"), abs=1e-6)


def test_its_own_search_finds_the_same_first_hits(metric_learning):
    import torch

    items, vectors = made()
    calculator = metric_learning.AccuracyCalculator(include=("precision_at_1",), device=torch.device("cpu"))
    labels = torch.tensor([int(each.label) for each in items])
    found = calculator.get_accuracy(torch.from_numpy(vectors), labels)
    study = whole_study(items, vectors)
    assert found["precision_at_1"] == pytest.approx(ours(study, "precision_at_1", 1).mean())


def test_its_map_at_k_divides_by_all_that_are_relevant_as_ours(metric_learning):
    study = whole_study(*made())
    found = theirs(metric_learning, made(), k=5)
    assert found["mean_average_precision"] == pytest.approx(
        ours(study, "mean_average_precision", 5).mean(), abs=1e-6
    )


def test_on_lists_cut_before_r_its_r_precision_is_another_number_and_ours_is_none(metric_learning):
    """It divides by min(R, k); its own warning calls the value incorrect. Ours does not apply."""
    study = whole_study(*made())
    found = theirs(metric_learning, made(), k=3)
    first = [each.relevance[:3].mean() for each in study.rankings]
    cut = [replace(each, labels=each.labels[:3]) for each in study.rankings]
    assert found["r_precision"] == pytest.approx(np.mean(first))
    assert found["r_precision"] != pytest.approx(ours(study, "r_precision", 1).mean(), abs=0.01)
    assert all(math.isnan(MEASURES["r_precision"](each, 3)) for each in cut)
    assert all(math.isnan(MEASURES["map_at_r"](each, 3)) for each in cut)


def test_it_leaves_out_the_query_alone_and_our_protocol_its_group(metric_learning, shared_data):
    """On the published embeddings its precision at 1 is that of ours with the patient's other images in."""
    items, vectors = published_items(shared_data)
    study = whole_study(items, vectors)
    found = theirs(metric_learning, (items, vectors))["precision_at_1"]
    leaking = np.mean([MEASURES["precision"](each, 1) for each in study.leaking])
    fair = np.mean([MEASURES["precision"](each, 1) for each in study.rankings])
    assert found == pytest.approx(leaking)
    assert (found, fair) == (pytest.approx(0.4016, abs=5e-4), pytest.approx(0.3949, abs=5e-4))
