"""CDD-CESM: what the release says of an image arrives in its row."""

from __future__ import annotations

import json


def cesm_row(name, kind, birads, density, pathology):
    woman, side, _, view = name.split("_")
    return {
        "Image_name": f"{name} ",
        "Patient_ID": woman[1:],
        "Side": side,
        "Type": kind,
        "Age": "50",
        "Breast density (ACR)": density,
        "BIRADS": birads,
        "Findings": "a$b",
        "View": view,
        "Tags": "",
        "Machine": "1",
        "Pathology Classification/ Follow up": pathology,
    }


def test_cdd_cesm_takes_the_highest_birads_and_the_density_of_the_same_breast(lay, prepare):
    low, subtracted = "Low energy images of CDD-CESM", "Subtracted images of CDD-CESM"
    shapes = [
        {"name": "polygon", "all_points_x": [10, 40, 25], "all_points_y": [5, 6, 50]},
        {"name": "circle", "cx": 100, "cy": 100, "r": 10.5},
        {"name": "ellipse", "cx": 50, "cy": 60, "rx": 20, "ry": 10},
        {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4},
        {"name": "point", "cx": 1, "cy": 2},
        {},
    ]
    folder = lay(
        {
            "Radiology-manual-annotations.csv": [
                cesm_row("P1_L_DM_CC", "DM", "4$2", "c", "Malignant"),
                cesm_row("P1_L_CM_CC", "CESM", "6", "_", "Malignant"),
                cesm_row("P2_R_CM_MLO", "CESM", "1", "_", "Normal"),
                cesm_row("P3_R_CM_MLO", "CESM", "1", "_", "Normal"),
            ],
            "Radiology_hand_drawn_segmentations_v2.csv": [
                {"#filename": "P1_L_DM_CC .jpg", "region_shape_attributes": json.dumps(shape)}
                for shape in shapes
            ],
            f"{low}/P1_L_DM_CC.jpg": "",
            f"{subtracted}/P1_L_CM_CC.jpg": "",
            f"{subtracted}/P2_R_CM_MLO .jpg": "",
        }
    )
    rows, result = prepare("cdd-cesm", folder)
    first, second, third = rows.values()
    assert (first.label, first.group) == ("malignant", "P1")
    assert first.metadata == {
        "grade": 4,
        "view": "CC",
        "side": "L",
        "density": "C",
        "birads": "4$2",
        "modality": "low energy",
        "lesion_box": "10,5,30,45;89,89,21,21;30,50,40,20;1,2,3,4",
    }
    assert (second.metadata["grade"], second.metadata["density"], second.metadata["modality"]) == (
        5,
        "C",
        "subtracted",
    )
    assert (third.label, third.metadata["density"], third.metadata["lesion_box"]) == ("normal", None, None)
    assert "1 images of the sheet are not there" in result.stderr


def test_cdd_cesm_is_read_from_the_sheet_of_its_workbook(lay, prepare, xlsx):
    rows = [
        cesm_row("P1_L_DM_CC", "DM", 4, "c", "Malignant"),
        cesm_row("P2_R_CM_MLO", "CESM", "1$2", "_", "Normal"),
    ]
    folder = lay({"P1_L_DM_CC.jpg": "", "P2_R_CM_MLO.jpg": ""})
    sheet = [list(rows[0]), *(list(row.values()) for row in rows)]
    xlsx(folder / "Radiology manual annotations.xlsx", {"masses": [["Image_name"]], "all": sheet})
    found, _ = prepare("cdd-cesm", folder)
    assert [(row.label, row.metadata["grade"], row.metadata["birads"]) for row in found.values()] == [
        ("malignant", 4, "4"),
        ("normal", 2, "1$2"),
    ]


def test_a_workbook_without_that_sheet_lists_those_it_has(lay, cbir, xlsx):
    folder = lay({"P1_L_DM_CC.jpg": ""})
    xlsx(folder / "Radiology-manual-annotations.xlsx", {"masses": [["a"]], "Ärzte": [["b"]]})
    said = cbir("datasets", "prepare", "cdd-cesm", folder, expect=1).stderr
    assert "has no sheet 'all'; its sheets are masses, Ärzte" in said


def test_a_file_that_is_no_workbook_is_one_line(lay, cbir):
    folder = lay({"Radiology-manual-annotations.xlsx": "text", "P1_L_DM_CC.jpg": ""})
    (line,) = cbir("datasets", "prepare", "cdd-cesm", folder, expect=1).stderr.splitlines()
    assert "can't be read as a workbook. Save its table as CSV" in line
