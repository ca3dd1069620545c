"""INbreast: what the release says of an image arrives in its row."""

from __future__ import annotations

import plistlib

import pytest

IMAGE = "{}_{}_MG_{}_{}_ANON.dcm"
PATIENT = "6c613a14b80a8591"


def inbreast_row(number, birads, *, side="R", view="CC", acr="3"):
    return {
        "Patient ID": "removed",
        "Patient age": "removed",
        "Laterality": side,
        "View": view,
        "Acquisition date": "201001",
        "File Name": number,
        "ACR": acr,
        "Bi-Rads": birads,
    }


def regions(*named):
    points = ["(10.6, 20.2)", "(30.0, 25.0)", "(15.0, 60.4)"]
    rois = [{"Name": name, "NumberOfPoints": 3, "Point_px": points} for name in named]
    return plistlib.dumps({"Images": [{"NumberOfROIs": len(rois), "ROIs": rois}]}).decode()


@pytest.fixture
def inbreast(lay):
    rows = [
        inbreast_row("20586908", "5"),
        inbreast_row("20586934", "4c", side="L", view="MLO", acr=""),
        inbreast_row("20586960", "6"),
        inbreast_row("", ""),
        inbreast_row("20586986", "1"),
    ]
    return lay(
        {
            "INbreast Release 1.0/INbreast.csv": rows,
            "INbreast Release 1.0/AllDICOMs/" + IMAGE.format("20586908", PATIENT, "R", "CC"): "",
            "INbreast Release 1.0/AllDICOMs/" + IMAGE.format("20586934", PATIENT, "L", "ML"): "",
            "INbreast Release 1.0/AllDICOMs/" + IMAGE.format("20586960", "0" * 16, "R", "CC"): "",
            "INbreast Release 1.0/AllDICOMs/" + IMAGE.format("99999999", "0" * 16, "R", "CC"): "",
            "INbreast Release 1.0/AllXML/20586908.xml": regions(
                "Mass", "Calcification", "Espiculated Region"
            ),
        }
    )


def test_inbreast_joins_its_table_its_file_names_and_its_regions(inbreast, prepare):
    rows, result = prepare("inbreast", inbreast)
    first, second, third = rows.values()
    assert (first.label, first.group) == ("5", PATIENT)
    assert first.metadata == {
        "grade": 5,
        "view": "CC",
        "side": "R",
        "density": 3,
        "lesion_box": "10,20,20,40;10,20,20,40",
        "birads": "5",
    }
    assert (second.label, second.metadata["birads"], second.metadata["view"]) == ("4", "4c", "MLO")
    assert second.metadata["density"] is None
    assert (third.metadata["grade"], third.metadata["birads"]) == (5, "6")
    assert "1 images of the table are not there" in result.stderr
    assert result.stdout.splitlines()[1].split() == ["images", "3", "410", "differs"]


def test_inbreast_without_its_table_says_which_it_needs(lay, cbir):
    folder = lay({"AllDICOMs/" + IMAGE.format("20586908", PATIENT, "R", "CC"): ""})
    said = cbir("datasets", "prepare", "inbreast", folder, expect=1).stderr
    assert "has neither INbreast.csv nor INbreast.xls" in said


def test_inbreast_is_read_from_its_workbook_with_numbers_for_names_and_a_line_above(lay, prepare, xls):
    folder = lay({"AllDICOMs/" + IMAGE.format("20586908", PATIENT, "R", "CC"): ""})
    row = inbreast_row(20586908, "4a")
    xls(folder / "INbreast.xls", [["INbreast", "", ""], list(row), list(row.values()), ["", "Total", 410]])
    rows, _ = prepare("inbreast", folder)
    (only,) = rows.values()
    assert (only.label, only.metadata["birads"], only.metadata["density"]) == ("4", "4a", 3)


def test_the_table_as_csv_is_taken_before_the_workbook(lay, prepare):
    image = "AllDICOMs/" + IMAGE.format("20586908", PATIENT, "R", "CC")
    rows, _ = prepare(
        "inbreast", lay({"INbreast.xls": "", "INbreast.csv": [inbreast_row("20586908", "2")], image: ""})
    )
    assert [row.label for row in rows.values()] == ["2"]


def test_the_birads_folders_of_inbreast_are_grades_and_name_no_patient(lay, prepare):
    rows, result = prepare(
        "inbreast", lay({"Birads1/20586908.png": "", "Birads4/20586934.png": "", "x.png": ""})
    )
    assert [(row.label, row.group) for row in rows.values()] == [("1", None), ("4", None)]
    assert "2 names do not say the patient" in result.stderr


def test_a_copy_as_png_has_the_patient_of_the_dicom_beside_it(lay, prepare):
    dicom = "AllDICOMs/" + IMAGE.format("20586908", PATIENT, "R", "CC")
    rows, result = prepare(
        "inbreast",
        lay({dicom: "", "Birads5/20586908.png": "", "INbreast.csv": [inbreast_row("20586908", "5")]}),
    )
    assert [row.group for row in rows.values()] == [PATIENT, PATIENT]
    assert "1 images are there a second time" in result.stderr


def test_inbreast_regions_that_are_no_plist_are_named(lay, cbir):
    folder = lay(
        {
            "INbreast.csv": [inbreast_row("20586908", "5")],
            "AllXML/20586908.xml": "<plist><dict>",
            IMAGE.format("20586908", PATIENT, "R", "CC"): "",
        }
    )
    assert "20586908.xml is no OsiriX XML" in cbir("datasets", "prepare", "inbreast", folder, expect=1).stderr
