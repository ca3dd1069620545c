"""`cbir evaluate --by case`: the protocol of images, over cases."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from gallery import add, fill_model, spec_of
from indexes import DIM, N, clustered, document

from indexer import IndexWriter

ROWS = clustered(0.8, 2)
N_CASES, PER_CASE = 30, 3


@pytest.fixture(scope="module")
def by_exam(tmp_path_factory):
    """30 exams of three images of one label, two exams a patient; grades differ within an exam."""
    path = tmp_path_factory.mktemp("exams") / "exams.index"
    with IndexWriter.create(path, spec_of(DIM), fill_model) as writer:
        for number in range(N):
            exam = exam_of(number)
            metadata = {
                "exam": f"e{exam:02}",
                "grade": 1 + (exam + (number == 2 * exam)) % 3,
                "name": f"n{number}",
            }
            add(
                writer,
                f"/g/{number}",
                ROWS[number],
                label=f"l{number % 3}",
                group=f"g{exam % 15}",
                metadata=metadata,
            )
        writer.commit()
        writer.build_store()
    return path


def exam_of(number: int) -> int:
    """Images of a label are 3 apart: exams 0–9 are of label 0, and so on."""
    return number % 3 * 10 + number // 9


def test_the_numbers_are_those_of_every_assignment_of_every_case(evaluate, by_exam):
    members = [[n for n in range(N) if exam_of(n) == exam] for exam in range(N_CASES)]
    cosines = np.maximum(ROWS @ ROWS.T, 0)
    values = []
    for asking in range(N_CASES):
        scores = {
            exam: max(
                sum(cosines[i, j] for i, j in zip(members[asking], order, strict=True))
                for order in itertools.permutations(members[exam])
            )
            for exam in range(N_CASES)
            if exam % 15 != asking % 15
        }
        found = sorted(scores, key=lambda exam: -scores[exam])[:4]
        values.append(np.mean([exam // 10 == asking // 10 for exam in found]))
    result = evaluate("-i", by_exam, "--by", "case", "--case", "exam", "-k", 4, "--json")
    found = document(result)
    assert found["measures"]["precision"]["micro"]["value"] == pytest.approx(np.mean(values))
    assert (found["n_queries"], found["n_groups"], found["n_gallery"]) == (30, 15, 30)
    assert found["case"] == {"column": "exam", "label": "agree"}


def test_the_table_says_that_it_is_by_case(evaluate, by_exam):
    result = evaluate("-i", by_exam, "--by", "case", "--case", "exam")
    assert "same label, by case (exam), each query's group left out, k = 10" in result.stdout
    assert "30 labelled cases" in result.stdout


def test_cases_of_which_no_labels_agree_are_an_error(evaluate, by_exam):
    result = evaluate("-i", by_exam, "--by", "case", expect=1)  # by patient: two exams, of two labels
    assert "None of the 15 cases of" in result.stderr
    assert "(by group) has a label: the images of 15 have several each" in result.stderr


def test_a_case_of_several_grades_has_none_or_the_greatest(evaluate, by_exam):
    words = ("-i", by_exam, "--by", "case", "--case", "exam", "--label", "grade", "--json")
    agree, greatest = document(evaluate(*words)), document(evaluate(*words, "--case-label", "max"))
    n_mixed = greatest["n_gallery"] - agree["n_gallery"]
    assert 0 < n_mixed < 30 == greatest["n_gallery"]
    assert (
        f"{n_mixed} of 30 cases have images of several labels: they count as cases without one"
        in agree["notes"]
    )
    assert f"{n_mixed} of 30 cases have images of several labels: the greatest was taken" in greatest["notes"]


def test_the_greatest_of_words_is_an_error(evaluate, by_exam):
    words = ("-i", by_exam, "--by", "case", "--case", "exam", "--case-label", "max")
    assert "labels that are no whole numbers" in evaluate(*words, expect=1).stderr


def test_a_case_of_two_patients_is_an_error_that_names_both(evaluate, by_exam):
    result = evaluate("-i", by_exam, "--by", "case", "--case", "grade", expect=1)
    assert "The case '1' (by grade) has images of 5 groups: g0, g12, …" in result.stderr


def test_parts_of_the_items_make_the_cases(evaluate, by_exam, tmp_path):
    (tmp_path / "some.csv").write_text(
        "path\n" + "".join(f"/g/{n}\n" for n in range(N) if exam_of(n) % 10 < 8)
    )
    words = (
        "-i",
        by_exam,
        "--by",
        "case",
        "--case",
        "exam",
        "--gallery",
        "some.csv",
        "--allow-shared-groups",
    )
    found = document(evaluate(*words, "--json"))
    assert (found["n_queries"], found["n_gallery"]) == (30, 24)


def test_page_run_and_whole_lists_are_of_cases(evaluate, by_exam, tmp_path):
    words = ("-i", by_exam, "--by", "case", "--case", "exam", "--whole-lists")
    result = evaluate(*words, "--html", "r.html", "--trec", "trec", "--json")
    assert "map_at_r" in document(result)["measures"]
    assert "by case (exam)" in (tmp_path / "r.html").read_text()
    assert "e00" in (tmp_path / "r.html").read_text()
    lines = (tmp_path / "trec" / "run.txt").read_text().splitlines()
    assert len(lines) == 300
    assert {line.split()[0] for line in lines} == {f"e{n:02}" for n in range(30)}


def test_options_of_cases_go_with_cases(evaluate, by_exam, tmp_path):
    (tmp_path / "run.txt").write_text("q Q0 d 1 1 x\n")
    assert "go with --by case" in evaluate("-i", by_exam, "--case", "exam", expect=2).stderr
    clash = evaluate("-i", by_exam, "--by", "case", "--run", "run.txt", expect=2)
    assert "--run is of images" in clash.stderr
    assert "no column 'exams'" in evaluate("-i", by_exam, "--by", "case", "--case", "exams", expect=2).stderr
