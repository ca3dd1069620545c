"""`cbir evaluate` over indexes of made vectors."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from gallery import add, fill_model, spec_of, unit_rows
from indexes import DIM, N, build, clustered, document

from indexer import IndexWriter


def test_an_index_that_finds_its_labels_is_a_result(evaluate, good):
    found = document(evaluate("-i", good, "--json"))
    assert (found["cbir"], found["version"], found["k"], found["n_queries"]) == ("evaluation", 1, 10, 90)
    precision = found["measures"]["precision"]
    assert precision["macro"]["value"] > 0.8
    assert precision["macro"]["beats_both"]
    assert precision["macro"]["luck"] == precision["micro"]["luck"] == 1 / 1001
    assert (
        precision["macro"]["interval"][0] <= precision["macro"]["value"] <= precision["macro"]["interval"][1]
    )
    # Each query's patient has one image of each label: 29 of 87 are right.
    assert precision["macro"]["random"] == pytest.approx(29 / 87)
    assert precision["micro"]["majority"] == pytest.approx(1 / 3)
    assert found["verdicts"] == []
    assert found["majority"] == "l0"


def test_noise_is_no_result(evaluate, noise):
    assert "\nno result: macro P@10 0." in evaluate("-i", noise).stdout


def test_the_json_is_what_plain_numpy_finds(evaluate, good):
    rows = clustered(0.8, 2).astype(np.float64)
    scores = rows @ rows.T
    labels, groups = np.arange(N) % 3, np.arange(N) // 3
    values = []
    for query in range(N):
        order = [each for each in np.argsort(-scores[query]) if groups[each] != groups[query]][:4]
        values.append(np.mean(labels[order] == labels[query]))
    found = document(evaluate("-i", good, "-k", 4, "--json"))
    assert found["measures"]["precision"]["micro"]["value"] == pytest.approx(np.mean(values))


def test_the_table_shows_chance_beside_the_headline(evaluate, good):
    lines = evaluate("-i", good).stdout.splitlines()
    (head,) = [line for line in lines if line.startswith("measure")]
    assert head.split() == ["measure", "mean", "value", "95", "%", "interval", "random", "majority"]
    first = lines[lines.index(head) + 1].split()
    assert first[:2] == ["P@10", "macro"]
    assert first[-2:] == ["0.3333", "0.3333"]
    assert any(line.startswith("leak: with each query's own group") for line in lines)
    assert any(line.startswith("luck: ") and line.endswith("p = 0.0010") for line in lines)


def test_any_column_may_be_the_label_and_grades_have_distances(evaluate, good):
    result = evaluate("-i", good, "--label", "birads", "--json")
    found = document(result)
    assert [each["label"] for each in found["classes"]] == ["1", "2", "3"]
    assert found["ordinal"]
    assert "grade_distance" in found["measures"]
    assert "9 of 90 items have no label and could not be found" in found["notes"]
    assert "9 of 90 queries have no label and were not asked" in result.stderr


def test_a_column_that_is_not_there_is_a_usage_error(evaluate, good):
    result = evaluate("-i", good, "--label", "birad", expect=2)
    assert "has no column 'birad'; did you mean birads?" in result.stderr


def test_a_column_of_one_value_can_not_be_measured(evaluate, good):
    assert "have 1 different labels" in evaluate("-i", good, "--label", "site", expect=1).stderr


def test_comparing_says_the_difference_and_how_likely_it_is(evaluate, good, noise, tmp_path):
    same = Path(shutil.copytree(good, tmp_path / "same.index"))
    words = ("-i", good, "--compare", noise, "--compare", same)
    to_noise, to_same = document(evaluate(*words, "--json"))["comparisons"]
    assert to_noise["difference"] > 0.3
    assert to_noise["interval"][0] > 0
    assert to_noise["p_value_holm"] == pytest.approx(2 * to_noise["p_value"])
    assert (to_same["difference"], to_same["p_value_holm"]) == (0, 1)
    assert "compared with" in evaluate(*words).stdout


def test_queries_that_only_one_index_has_are_counted(evaluate, good, tmp_path):
    fewer = build(tmp_path / "fewer.index", clustered(0.8, 2)[:60])
    result = evaluate("-i", good, "--compare", fewer, "--json")
    (compared,) = document(result)["comparisons"]
    assert (compared["n_queries"], compared["n_left_out"]) == (60, 30)
    assert f"not compared with {fewer}: 30 queries that only one of the two could answer" in result.stderr


def test_the_same_seed_gives_the_same_document(evaluate, good):
    one, two = (document(evaluate("-i", good, "--seed", 5, "--json")) for _ in range(2))
    for each in (one, two):
        del each["seconds"], each["made"]
    assert one == two


def test_queries_of_another_index_may_not_share_patients_unless_asked_for(evaluate, good, tmp_path):
    rows = clustered(0.8, 4)[:12]
    apart = build(tmp_path / "apart.index", rows, first=900)
    found = document(evaluate("-i", good, "--queries", apart, "--json"))
    assert (found["n_queries"], found["queries"]) == (12, str(apart))
    assert found["measures"]["precision"]["macro"]["random"] == pytest.approx(30 / 90)
    shared = build(tmp_path / "shared.index", rows, first=84)
    assert "6 of 12 queries have their group" in evaluate("-i", good, "--queries", shared, expect=1).stderr
    evaluate("-i", good, "--queries", shared, "--allow-shared-groups")


def test_one_split_of_an_index_asks_another(evaluate, good):
    found = document(evaluate("-i", good, "--queries", "split=test", "--gallery", "split=train", "--json"))
    assert (found["n_queries"], found["n_gallery"]) == (30, 60)
    assert (found["queries"], found["gallery"]) == ("split=test", "split=train")
    assert found["split_hash"] == "abc123" * 8
    assert found["measures"]["precision"]["macro"]["random"] == pytest.approx(20 / 60)
    assert "(split abc123ab…)" in evaluate("-i", good, "--queries", "split=test").stdout


def test_the_numbers_of_a_split_are_those_of_an_index_of_its_own(evaluate, good, tmp_path):
    rows, test = clustered(0.8, 2), [n for n in range(N) if n // 3 % 3 == 2]
    train, asking = (tmp_path / f"{name}.index" for name in ("train", "asking"))
    for path, numbers in ((train, sorted({*range(N)} - {*test})), (asking, test)):
        with IndexWriter.create(path, spec_of(DIM, name="good"), fill_model) as writer:
            for number in numbers:
                add(writer, f"/g/{number}", rows[number], label=f"l{number % 3}", group=f"g{number // 3}")
            writer.commit()
    there = document(evaluate("-i", train, "--queries", asking, "--json"))
    listed = tmp_path / "test.csv"
    listed.write_text("path\n" + "".join(f"/g/{number}\n" for number in test))
    for who in ("split=test", listed):
        here = document(evaluate("-i", good, "--queries", who, "--gallery", "split=train", "--json"))
        assert here["measures"] == there["measures"]


def test_a_split_that_shares_patients_with_the_gallery_is_refused(evaluate, good):
    words = ("-i", good, "--queries", "label=l0", "--gallery", "label=l1,l2,l0")
    assert "30 of 30 queries have their group" in evaluate(*words, expect=1).stderr
    evaluate(*words, "--allow-shared-groups")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--queries", "split=tset"), 1, "no item with split=tset; split is one of test, train"),
        (("--queries", "splt=test"), 2, "has no column 'splt'; did you mean split?"),
        (("--gallery", "split"), 1, "names no part of the items"),
        (("--gallery", "split="), 1, "names no part of the items"),
    ],
)
def test_a_part_that_is_not_there_is_said_clearly(evaluate, good, words, code, message):
    assert message in evaluate("-i", good, *words, expect=code).stderr


def test_files_that_the_index_lacks_can_not_ask(evaluate, good, tmp_path):
    (tmp_path / "new.csv").write_text("path\n/g/0\n/g/nowhere\n")
    result = evaluate("-i", good, "--queries", tmp_path / "new.csv", expect=1)
    assert "1 of the 2 files" in result.stderr


def test_seeds_are_aggregated_apart_from_the_interval(evaluate, good, tmp_path):
    other = build(tmp_path / "second.index", clustered(0.8, 5))
    found = document(evaluate("-i", good, "--repeat", other, "--json"))
    values = found["seeds"]["precision"]["values"]
    alone = [document(evaluate("-i", path, "--json"))["measures"]["precision"] for path in (good, other)]
    assert values == [each["macro"]["value"] for each in alone]
    assert found["seeds"]["precision"]["sd"] == pytest.approx(np.std(values, ddof=1))
    assert found["measures"]["precision"]["macro"]["interval"] == alone[0]["macro"]["interval"]
    assert "over 2 seeds" in evaluate("-i", good, "--repeat", other).stdout
    fewer = build(tmp_path / "fewer.index", clustered(0.8, 2)[:60])
    assert "different queries" in evaluate("-i", good, "--repeat", fewer, expect=1).stderr


def test_queries_of_another_extractor_are_refused(evaluate, good, tmp_path):
    other = tmp_path / "other.index"
    with IndexWriter.create(other, spec_of(DIM, weights="1" * 64), fill_model) as writer:
        for number, row in enumerate(unit_rows(6, DIM, 9)):
            add(writer, f"/o/{number}", row, label=f"l{number % 3}", group=f"o{number}")
        writer.commit()
    assert "another extractor" in evaluate("-i", good, "--queries", other, expect=5).stderr


def test_options_that_do_not_go_together_are_refused(evaluate, good, noise):
    evaluate("-i", good, "--queries", noise, "--compare", noise, expect=2)
    evaluate("-i", good, "--allow-shared-groups", expect=2)


def test_no_index_is_exit_code_four(evaluate, tmp_path):
    evaluate("-i", tmp_path / "nothing.index", expect=4)


def test_the_published_embeddings_do_not_beat_the_constant_majority(evaluate, shared_data, tmp_path):
    """BiomedCLIP on CDD-CESM by BI-RADS: above chance by class, and by image below always answering 1."""
    import csv

    folder = shared_data / "data" / "cdd_cesm_biomedclip_embeddings"
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    vectors = np.load(folder / "image_features.npy")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    path = tmp_path / "cesm.index"
    with IndexWriter.create(path, spec_of(vectors.shape[1]), fill_model) as writer:
        for number, (row, vector) in enumerate(zip(rows, vectors, strict=True)):
            birads = min(int(row["birads_ordinal"]), 5)
            add(writer, f"/c/{number}", vector, group=row["patient_id"], metadata={"birads": birads})
        writer.commit()
        writer.build_store()
    precision = document(evaluate("-i", path, "--label", "birads", "--json"))["measures"]["precision"]
    assert precision["macro"]["value"] == pytest.approx(0.2401, abs=5e-4)
    assert precision["macro"]["beats_both"]
    assert precision["micro"]["value"] == pytest.approx(0.3616, abs=5e-4)
    assert precision["micro"]["majority"] == pytest.approx(0.4447, abs=5e-4)
    assert not precision["micro"]["beats_both"]
