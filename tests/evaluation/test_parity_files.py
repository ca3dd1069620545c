"""Agreement with ir_measures and ranx through the files that we write, and on files that others write."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from made import items_of
from published import published_items, whole_study

from cbir.evaluation.measures import MEASURES
from cbir.evaluation.protocol import Study, rank_queries
from cbir.evaluation.trec import judge, read_qrels, read_run, write_qrels, write_run

K = 10

NAMES = {  # ours: ir_measures', ranx's; None cuts nowhere
    ("precision", K): ("P@10", "precision@10"),
    ("hit", K): ("Success@10", "hit_rate@10"),
    ("recall", K): ("R@10", "recall@10"),
    ("average_precision", K): ("AP@10", "map@10"),
    ("average_precision", None): ("AP", "map"),
    ("ndcg", K): ("nDCG@10", "ndcg@10"),
    ("reciprocal_rank", None): ("RR", "mrr"),
    ("r_precision", None): ("Rprec", "r-precision"),
}


def tied_study() -> Study:
    """Scores with many ties, broken by the order of the gallery, not by what tools break them with."""
    rng = np.random.default_rng(0)
    labels = [f"l{number}" for number in rng.integers(0, 4, 80)]
    items = items_of(labels, [f"p{number // 2}" for number in range(80)])
    scores = {each.id: rng.integers(0, 4, 80) for each in items}

    def search(query_ids, depth):
        orders = (np.argsort(-scores[each], kind="stable")[:depth] for each in query_ids)
        return [[items[place].id for place in order] for order in orders]

    return rank_queries(items, search, len(items))


@pytest.fixture(scope="module", params=["published", "tied"])
def written(request, tmp_path_factory):
    if request.param == "published":
        study = whole_study(*published_items(request.getfixturevalue("shared_data")))
    else:
        study = tied_study()
    folder = tmp_path_factory.mktemp(request.param)
    write_run(study, folder / "run.txt")
    write_qrels(study, folder / "qrels.txt")
    return study, folder / "run.txt", folder / "qrels.txt"


def ours(study: Study, name: str, k: int | None) -> list[float]:
    return [MEASURES[name](each, k or study.k) for each in study.rankings]


@pytest.fixture(scope="module")
def ir_measures():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("ir_measures")


@pytest.fixture(scope="module")
def by_ir_measures(written, ir_measures):
    """By the measure's name there, and by query."""
    study, run, qrels = written
    measures = [ir_measures.parse_measure(name) for name, _ in NAMES.values()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        judged, ranked = ir_measures.read_trec_qrels(str(qrels)), ir_measures.read_trec_run(str(run))
        found = {
            (str(each.measure), each.query_id): each.value
            for each in ir_measures.iter_calc(measures, judged, ranked)
        }
    assert len(found) == len(NAMES) * len(study.query_ids)
    return found


@pytest.mark.parametrize(("name", "k"), NAMES)
def test_ir_measures_agrees_on_our_files(name, k, written, by_ir_measures):
    study, there = written[0], NAMES[name, k][0]
    theirs = [by_ir_measures[there, query] for query in study.query_ids]
    assert theirs == pytest.approx(ours(study, name, k), abs=1e-6)


@pytest.fixture(scope="module")
def by_ranx(written):
    _, run, qrels = written
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ranx = pytest.importorskip("ranx")
        ranked = ranx.Run.from_file(str(run), kind="trec")
        ranx.evaluate(
            ranx.Qrels.from_file(str(qrels), kind="trec"), ranked, [name for _, name in NAMES.values()]
        )
        return ranked.scores


@pytest.mark.soak  # ranx compiles itself for a minute
@pytest.mark.parametrize(("name", "k"), NAMES)
def test_ranx_agrees_on_our_files(name, k, written, by_ranx):
    study, there = written[0], NAMES[name, k][1]
    theirs = [by_ranx[there][query] for query in study.query_ids]
    assert theirs == pytest.approx(ours(study, name, k), abs=1e-6)


def test_a_file_read_again_and_judged_alone_has_the_means_of_the_study(written):
    study, run, qrels = written
    judged = judge(read_run(run), read_qrels(qrels), K)
    for name, row in judged.rows.items():
        assert row.value == pytest.approx(np.mean(ours(study, name, K)))
        assert row.n_queries == len(study.query_ids)


def test_lists_that_are_long_enough_have_r_precision_and_map_at_r(written):
    study = written[0]
    for each in study.rankings:
        relevant = each.relevance[: each.n_relevant]
        places = np.flatnonzero(relevant) + 1
        at_r = (np.arange(1, len(places) + 1) / places).sum() / each.n_relevant
        assert MEASURES["r_precision"](each, 1) == pytest.approx(relevant.mean())
        assert MEASURES["map_at_r"](each, 1) == pytest.approx(at_r)


def test_ties_in_a_foreign_file_are_broken_as_ir_measures_does(tmp_path, ir_measures):
    rng = np.random.default_rng(1)
    run, qrels = tmp_path / "run.txt", tmp_path / "qrels.txt"
    with run.open("w") as ranked, qrels.open("w") as judged:
        for query in range(50):
            for rank, item in enumerate(rng.permutation(40)):
                ranked.write(f"q{query} Q0 d{item} {rank} {rng.integers(-2, 3) / 4} theirs\n")
                judged.write(f"q{query} 0 d{item} {rng.integers(0, 4) // 3}\n")
    found = judge(read_run(run), read_qrels(qrels), K)
    measures = {name: ir_measures.parse_measure(NAMES[name, K][0]) for name in ("precision", "ndcg", "hit")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = ir_measures.calc_aggregate(
            measures.values(), ir_measures.read_trec_qrels(str(qrels)), ir_measures.read_trec_run(str(run))
        )
    assert found.n_queries == 50
    for name, measure in measures.items():
        assert found.rows[name].value == pytest.approx(theirs[measure], abs=1e-6)


def test_a_query_that_the_run_lacks_counts_zero_where_ir_measures_counts_it_too(tmp_path, ir_measures):
    run, qrels = tmp_path / "run.txt", tmp_path / "qrels.txt"
    run.write_text("one Q0 a 1 0.5 t\n")
    qrels.write_text("one 0 a 1\ntwo 0 a 1\n")
    measure = ir_measures.parse_measure("RR")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = ir_measures.calc_aggregate(
            [measure], ir_measures.read_trec_qrels(str(qrels)), ir_measures.read_trec_run(str(run))
        )
    assert judge(read_run(run), read_qrels(qrels), 1).rows["reciprocal_rank"].value == theirs[measure] == 0.5
