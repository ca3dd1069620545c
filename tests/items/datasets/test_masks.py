"""Boxes of lesions from masks: which file is the mask, what its box is, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cbir.items.datasets import DATASETS, Seen
from cbir.items.datasets import prepare as prepare_dataset

BUSI = "Dataset_BUSI_with_GT"
CASE = "Mass-Training_P_00001_LEFT_CC"
HEADER = (
    "patient_id,breast_density,left or right breast,image view,abnormality id,abnormality type,assessment,"
    "pathology,image file path,cropped image file path,ROI mask file path\n"
)


def save(path: Path, pixels: np.ndarray) -> None:
    """Write a picture under whatever name: its content says what it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = path.suffix if path.suffix in {".png", ".jpg"} else ".png"
    path.write_bytes(cv2.imencode(suffix, pixels)[1].tobytes())


def picture(height=60, width=80):
    return np.linspace(1, 255, height * width).reshape(height, width).astype(np.uint8)


def mask(x, y, width, height, *, shape=(60, 80)):
    pixels = np.zeros(shape, np.uint8)
    pixels[y : y + height, x : x + width] = 255
    return pixels


def box_of(row):
    return row.metadata.get("lesion_box")


def test_every_mask_of_busi_is_a_box_and_an_empty_one_is_none(tmp_path, prepare):
    folder = tmp_path / "release"
    for name in ("benign/benign (1)", "malignant/malignant (2)", "normal/normal (3)"):
        save(folder / BUSI / f"{name}.png", picture())
        save(folder / BUSI / f"{name}_mask.png", mask(0, 0, 0, 0) if "normal" in name else mask(5, 7, 20, 9))
    save(folder / BUSI / "benign/benign (1)_mask_1.png", np.dstack([mask(79, 59, 1, 1)] * 3))
    rows, result = prepare("busi", folder)
    assert [box_of(row) for row in rows.values()] == ["5,7,20,9;79,59,1,1", "5,7,20,9", None]
    assert "masks" not in result.stderr


def test_masks_that_give_no_box_are_counted_by_reason_and_are_no_error(tmp_path, prepare):
    folder = tmp_path / "release"
    for i in range(1, 6):
        save(folder / f"benign/benign ({i}).png", picture())
    save(folder / "benign/benign (1)_mask.png", mask(5, 7, 20, 9))
    (folder / "benign/benign (2)_mask.png").write_bytes(b"no image")
    save(folder / "benign/benign (3)_mask.png", mask(5, 7, 20, 9, shape=(30, 40)))
    save(folder / "benign/benign (4)_mask.png", picture())
    (folder / "benign/benign (5).png").write_bytes(b"")
    save(folder / "benign/benign (5)_mask.png", mask(5, 7, 20, 9))
    rows, result = prepare("busi", folder)
    assert [box_of(row) for row in rows.values()] == ["5,7,20,9", None, None, None, None]
    for said in (
        "1 masks can't be read",
        "1 masks have another size than their image",
        "1 masks lie where a mask should be, but are none",
        "1 masks belong to images that can't be read",
    ):
        assert said in result.stderr


def test_masks_are_left_unread_when_asked(tmp_path, cbir):
    folder = tmp_path / "release"
    save(folder / "benign/benign (1).png", picture())
    save(folder / "benign/benign (1)_mask.png", mask(5, 7, 20, 9))
    result = cbir("datasets", "prepare", "busi", folder, "-o", tmp_path / "items.csv", "--no-masks")
    assert "1 masks were not read: no boxes of lesions" in result.stderr
    assert "lesion_box" not in (tmp_path / "items.csv").read_text()


def cbis_table(*regions):
    """One mammogram; an abnormality for each pair of crop and mask paths."""
    row = "P_00001,3,LEFT,CC,{},mass,4,BENIGN,{}/1.1/1.2/000000.dcm,{},{}\n"
    return HEADER + "".join(row.format(i, CASE, *each) for i, each in enumerate(regions, 1))


@pytest.mark.parametrize("swapped", [False, True])
def test_the_mask_of_cbis_ddsm_is_known_by_its_pixels_whichever_the_table_calls_so(lay, prepare, swapped):
    one, other = f"{CASE}_1/1.3/1.4/000000.dcm", f"{CASE}_1/1.3/1.5/000001.dcm"
    folder = lay(
        {"mass_case_description_train_set.csv": cbis_table((other, one) if swapped else (one, other))}
    )
    save(folder / f"{CASE}/1.1/1.2/1-1.dcm", picture(600, 800))
    save(folder / f"{CASE}_1/1.3/1.4/1-1.dcm", picture(50, 40))
    save(folder / f"{CASE}_1/1.3/1.5/1-1.dcm", mask(300, 200, 40, 50, shape=(600, 800)))
    rows, _ = prepare("cbis-ddsm", folder)
    (row,) = rows.values()
    assert box_of(row) == "300,200,40,50"


def test_masks_below_folders_with_dates_are_found_by_their_case(lay, prepare):
    paths = [(f"{CASE}_{i}/1.3/1.4/000000.dcm", f"{CASE}_{i}/1.3/1.4/000001.dcm") for i in (1, 2, 3)]
    folder = lay({"mass_case_description_train_set.csv": cbis_table(*paths)})
    save(folder / f"{CASE}/07-20-2016-DDSM-1/1.0-full mammogram images-2/1-1.dcm", picture(600, 800))
    for i in (1, 2):
        series = folder / f"{CASE}_{i}/07-20-2016-DDSM-3/1.0-ROI mask images-4"
        save(series / "1-1.dcm", picture(50, 40))
        save(series / "1-2.dcm", mask(100 * i, 200, 40, 50, shape=(600, 800)))
    rows, result = prepare("cbis-ddsm", folder)
    (row,) = rows.values()
    assert box_of(row) == "100,200,40,50;200,200,40,50"
    assert "1 masks are not there" in result.stderr


def test_the_jpeg_copy_has_masks_by_series_and_their_noise_is_no_lesion(lay, prepare):
    region = (f"{CASE}_1/1.3/1.4/000000.dcm", f"{CASE}_1/1.3/1.4/000001.dcm")
    folder = lay({"csv/mass_case_description_train_set.csv": cbis_table(region)})
    save(folder / "jpeg/1.2/1-249.jpg", picture(600, 800))
    save(folder / "jpeg/1.4/1-013.jpg", picture(50, 40))
    save(folder / "jpeg/1.4/2-241.jpg", mask(301, 203, 41, 50, shape=(600, 800)))
    rows, _ = prepare("cbis-ddsm", folder)
    (row,) = rows.values()
    assert box_of(row) == "301,203,41,50"


def test_each_file_is_looked_at_once_and_none_where_no_mask_is(lay, tmp_path):
    folder = lay(
        dict.fromkeys([f"benign/benign ({i}){end}.png" for i in (1, 2) for end in ("", "_mask")], "")
    )
    asked = []

    def look_at(paths):
        asked.extend(Path(path).name for path in paths)
        return {path: Seen((9, 9), is_mask=True, box=(0, 1, 2, 3)) for path in paths}

    release = prepare_dataset(DATASETS["busi"], folder, tmp_path / "a.csv", look_at=look_at)
    assert [row.lesion_box for row in release.rows] == ["0,1,2,3", "0,1,2,3"]
    assert sorted(asked) == sorted(path.name for path in folder.rglob("*.png"))
    asked.clear()
    alone = lay({"normal/normal (1).png": ""}) / "normal"
    prepare_dataset(DATASETS["busi"], alone, tmp_path / "b.csv", look_at=look_at)
    assert asked == []
