"""Microscopy and ultrasound: what folders and file names say arrives in the rows."""

from __future__ import annotations

import pytest

from cbir.items import read_table

SLIDES = "BreaKHis_v1/histology_slides/breast"


def test_breakhis_is_read_from_its_file_names(lay, prepare):
    folder = lay(
        {
            f"{SLIDES}/benign/SOB/adenosis/SOB_B_A_14-22549AB/40X/SOB_B_A-14-22549AB-40-001.png": "",
            f"{SLIDES}/benign/SOB/adenosis/SOB_B_A_14-22549CD/400X/SOB_B_A-14-22549CD-400-012.png": "",
            f"{SLIDES}/malignant/SOB/ductal_carcinoma/SOB_M_DC_14-2523/100X/SOB_M_DC-14-2523-100-001.png": "",
            f"{SLIDES}/malignant/readme.png": "",
        }
    )
    rows, result = prepare("breakhis", folder)
    assert [(row.label, row.group, *row.metadata.values()) for row in rows.values()] == [
        ("benign", "14-22549AB", 0, 40, "A", "14-22549"),
        ("benign", "14-22549CD", 0, 400, "A", "14-22549"),
        ("malignant", "14-2523", 1, 100, "DC", "14-2523"),
    ]
    assert "--group biopsy is the more careful group" in result.stderr


def test_the_real_breakhis_files_are_read_and_said_to_be_a_part(shared_data, tmp_path, cbir):
    folder = shared_data / "data" / "breakhis_78"
    result = cbir("datasets", "prepare", "breakhis", folder, "-o", tmp_path / "items.csv")
    rows = {row.path: row for row in read_table(str(tmp_path / "items.csv")).rows}
    known = read_table(str(folder / "labels.csv")).rows
    assert {path: (row.label, row.group, row.metadata["subtype"]) for path, row in rows.items()} == {
        row.path: (row.label, row.group, row.metadata["subtype"]) for row in known
    }
    assert "78 names do not say the magnification" in result.stderr
    assert "78 images, NOT the whole release as published" in result.stderr
    assert result.stdout.splitlines()[1].split() == ["images", "78", "7909", "differs"]


def test_busi_leaves_masks_out_and_says_that_it_names_no_women(lay, prepare):
    names = (
        "benign/benign (1)",
        "benign/benign (1)_mask",
        "benign/benign (1)_mask_1",
        "malignant/malignant (2)",
        "normal/normal (3)",
        "normal/normal (3)_mask",
    )
    rows, result = prepare("busi", lay({f"Dataset_BUSI_with_GT/{name}.png": "" for name in names}))
    assert [(row.label, row.group, row.metadata["grade"]) for row in rows.values()] == [
        ("benign", None, 1),
        ("malignant", None, 2),
        ("normal", None, 0),
    ]
    assert "no split of it is one by patient" in result.stderr


def test_lc25000_labels_by_folder_and_says_that_every_split_leaks(lay, prepare):
    base = "lung_colon_image_set"
    folder = lay(
        {
            f"{base}/colon_image_sets/colon_aca/colonca1.jpeg": "",
            f"{base}/colon_image_sets/colon_n/colonn1.jpeg": "",
            f"{base}/lung_image_sets/lung_scc/lungscc1.jpeg": "",
            f"{base}/other/x.jpeg": "",
        }
    )
    rows, result = prepare("lc25000", folder)
    assert [(row.label, row.group, *row.metadata.values()) for row in rows.values()] == [
        ("colon_aca", None, 1, "colon", "malignant"),
        ("colon_n", None, 0, "colon", "benign"),
        ("lung_scc", None, 1, "lung", "malignant"),
    ]
    assert "every split of it leaks" in result.stderr


def test_a_whole_release_is_said_to_be_whole(lay, prepare):
    counts = {"normal": 133, "benign": 437, "malignant": 210}
    names = [f"{label}/{label} ({i + 1}).png" for label, n in counts.items() for i in range(n)]
    _, result = prepare("busi", lay(dict.fromkeys(names, "")))
    assert "780 images, the whole release" in result.stderr
    assert "differs" not in result.stdout


def test_listing_says_where_each_comes_from_and_under_which_terms(cbir):
    lines = cbir("datasets", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [
        "name",
        "breakhis",
        "busi",
        "cbis-ddsm",
        "cdd-cesm",
        "inbreast",
        "lc25000",
        "mini-mias",
        "vindr-mammo",
    ]
    assert all("http" in line for line in lines[1:])


def test_an_unknown_data_set_is_wrong_usage(cbir, tmp_path):
    assert "there are breakhis, busi" in cbir("datasets", "prepare", "mnist", tmp_path, expect=2).stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("breakhis", "has no image of BreakHis. Give the folder it was unpacked to; it comes from https://"),
        ("mini-mias", "has 0 files Info.txt"),
        ("cbis-ddsm", "has none of CBIS-DDSM's tables"),
        ("vindr-mammo", "has 0 files breast-level_annotations.csv"),
        ("cdd-cesm", "has no Radiology-manual-annotations.xlsx"),
        ("inbreast", "has neither INbreast.csv nor INbreast.xls"),
    ],
)
def test_a_folder_without_the_release_says_what_is_missing_and_writes_nothing(
    lay, cbir, tmp_path, name, said
):
    folder = lay({"empty.txt": ""})
    assert said in cbir("datasets", "prepare", name, folder, "-o", tmp_path / "o.csv", expect=1).stderr
    assert not (tmp_path / "o.csv").exists()


def test_a_table_without_a_column_lists_those_it_has(lay, cbir):
    folder = lay({"breast-level_annotations.csv": "study_id,image_id\ns,a\n"})
    said = cbir("datasets", "prepare", "vindr-mammo", folder, expect=1).stderr
    assert "has no column 'laterality'; its columns are study_id, image_id" in said


def test_paths_are_relative_where_the_images_lie_below_the_items_file(lay, cbir, tmp_path):
    folder = lay({"normal/normal (1).png": ""})
    cbir("datasets", "prepare", "busi", folder, "-o", folder / "items.csv")
    assert "\nnormal/normal (1).png,normal,0\n" in (folder / "items.csv").read_text()
    cbir("datasets", "prepare", "busi", folder, "-o", tmp_path / "items.csv")
    assert "\nrelease/normal/normal (1).png,normal,0\n" in (tmp_path / "items.csv").read_text()


def test_links_are_not_followed_and_their_number_is_said(lay, prepare):
    folder = lay({"normal/normal (1).png": ""})
    (folder / "normal" / "normal (2).png").symlink_to(folder / "normal" / "normal (1).png")
    rows, result = prepare("busi", folder)
    assert len(rows) == 1
    assert "1 symbolic links and the like were passed over" in result.stderr
