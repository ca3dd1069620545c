"""CBIS-DDSM: what the release says of an image arrives in its row."""

from __future__ import annotations

import pytest


def cbis_row(case, woman, pathology, *, series="1.3.6.2", assessment="4", number=1, density="breast_density"):
    kind, _, rest = case.partition("-")
    side, view = rest.split("_")[-2:]
    return {
        "patient_id": woman,
        density: "3",
        "left or right breast": side,
        "image view": view,
        "abnormality id": number,
        "abnormality type": {"Mass": "mass", "Calc": "calcification"}[kind],
        "assessment": assessment,
        "pathology": pathology,
        "subtlety": "4",
        "image file path": f"{case}/1.3.6.1/{series}/000000.dcm",
        "cropped image file path": f"{case}_{number}/1.3.6.8/1.3.6.9/000000.dcm",
        "ROI mask file path": f"{case}_{number}/1.3.6.8/1.3.6.9/000001.dcm\n",
    }


@pytest.fixture
def cbis(lay):
    first, second, third = (
        "Mass-Training_P_00001_LEFT_CC",
        "Mass-Training_P_00002_RIGHT_MLO",
        "Calc-Test_P_00001_LEFT_CC",
    )
    return lay(
        {
            "csv/mass_case_description_train_set.csv": [
                cbis_row(first, "P_00001", "BENIGN_WITHOUT_CALLBACK", assessment="0"),
                cbis_row(second, "P_00002", "BENIGN", series="1.3.6.3", assessment="2"),
                cbis_row(second, "P_00002", "MALIGNANT", series="1.3.6.3", assessment="5", number=2),
                cbis_row("Mass-Training_P_00003_LEFT_CC", "P_00003", "BENIGN", series="1.3.6.5"),
            ],
            "csv/calc_case_description_test_set.csv": [
                cbis_row(third, "P_00001", "BENIGN", series="1.3.6.4", density="breast density")
            ],
            f"CBIS-DDSM/{first}/07-20-2016-DDSM-NA-74994/1.000000-full mammogram images-24515/1-1.dcm": "",
            f"CBIS-DDSM/{first}_1/07-20-2016-DDSM-NA-1/1.000000-ROI mask images-1/1-1.dcm": "",
            f"CBIS-DDSM/{second}/1.3.6.1/1.3.6.3/1-1.dcm": "",
            "jpeg/1.3.6.4/1-249.jpg": "",
            "jpeg/1.3.6.9/1-1.jpg": "",
        }
    )


def test_cbis_ddsm_takes_full_mammograms_in_each_layout_and_the_worst_of_several_abnormalities(cbis, prepare):
    rows, result = prepare("cbis-ddsm", cbis)
    first, second, third = rows.values()
    assert [row.path.rsplit("/", 1)[-1] for row in rows.values()] == ["1-1.dcm", "1-1.dcm", "1-249.jpg"]
    assert (first.label, first.group, first.metadata["grade"]) == ("benign", "P_00001", None)
    assert second.label == "malignant"
    assert second.metadata == {
        "grade": 5,
        "view": "MLO",
        "side": "R",
        "density": 3,
        "abnormality": "mass",
        "n_abnormalities": 2,
        "split": "train",
    }
    assert (third.metadata["abnormality"], third.metadata["split"]) == ("calcification", "test")
    assert third.metadata["density"] == 3
    assert "1 of the 4 full mammograms in the tables are not there" in result.stderr
    assert "1 women are in the official training and test set both" in result.stderr


def test_the_official_split_of_cbis_ddsm_can_be_audited_for_that_woman(cbis, prepare, cbir, tmp_path):
    prepare("cbis-ddsm", cbis)
    assert "LEAK: the same patient 1" in cbir("items", "audit", tmp_path / "items.csv", expect=1).stderr


def test_a_pathology_that_cbis_ddsm_does_not_have_is_refused(lay, cbir):
    case = "Mass-Training_P_00001_LEFT_CC"
    folder = lay(
        {
            "mass_case_description_train_set.csv": [cbis_row(case, "P_00001", "PERHAPS")],
            f"{case}/1/2/1-1.dcm": "",
        }
    )
    assert "the pathology is 'PERHAPS'" in cbir("datasets", "prepare", "cbis-ddsm", folder, expect=1).stderr
