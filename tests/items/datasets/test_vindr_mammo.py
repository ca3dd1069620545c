"""VinDr-Mammo: what the release says of an image arrives in its row."""

from __future__ import annotations


def test_vindr_mammo_joins_breasts_and_findings(lay, prepare):
    def said(image, birads, split="training"):
        return {
            "study_id": "s1",
            "series_id": "e1",
            "image_id": image,
            "laterality": "L",
            "view_position": "CC",
            "height": 3518,
            "width": 2800,
            "breast_birads": birads,
            "breast_density": "DENSITY C",
            "split": split,
        }

    found = {"finding_categories": "['Mass']", "finding_birads": "BI-RADS 4"}
    nothing = dict.fromkeys(("xmin", "ymin", "xmax", "ymax"), "")
    box = {"xmin": "2355.139", "ymin": "1731.64", "xmax": "2482.98", "ymax": "1852.75"}
    folder = lay(
        {
            "breast-level_annotations.csv": [
                said("a", "BI-RADS 4"),
                said("b", "BI-RADS 1", "test"),
                said("c", "BI-RADS 2"),
            ],
            "finding_annotations.csv": [
                said("a", "BI-RADS 4") | found | box,
                said("b", "BI-RADS 1") | found | nothing,
            ],
            "images/s1/a.dicom": "",
            "images/s1/b.dicom": "",
        }
    )
    rows, result = prepare("vindr-mammo", folder)
    first, second = rows.values()
    assert (first.label, first.group) == ("4", "s1")
    assert first.metadata == {
        "grade": 4,
        "view": "CC",
        "side": "L",
        "density": "C",
        "lesion_box": "2355,1731,128,122",
        "split": "train",
    }
    assert (second.metadata["split"], second.metadata["lesion_box"]) == ("test", None)
    assert "1 of the 3 images in the table are not there" in result.stderr


def test_a_box_that_is_no_numbers_is_named(lay, cbir):
    breasts = "study_id,image_id,laterality,view_position,breast_birads,breast_density,split\n"
    folder = lay(
        {
            "breast-level_annotations.csv": breasts + "s,a,L,CC,BI-RADS 1,DENSITY B,test\n",
            "finding_annotations.csv": "image_id,xmin,ymin,xmax,ymax\na,1,2,x,inf\n",
            "a.dicom": "",
        }
    )
    said = cbir("datasets", "prepare", "vindr-mammo", folder, expect=1).stderr
    assert "image a: the corners of a box are 1, 2, x, inf" in said
