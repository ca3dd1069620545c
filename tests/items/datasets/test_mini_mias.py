"""mini-MIAS: what the release says of an image arrives in its row."""

from __future__ import annotations

import numpy as np

from cbir.images.reader import read_images

INFO = """\
3rd column: CIRC
mdb001 G CIRC B 535 425 197
mdb002 D NORM
mdb003 F CIRC B 477 133 30
mdb003 F SPIC M 500 168 26
mdb004 D CALC M *NOTE 3*
mdb005 F CIRC B
"""


def test_mini_mias_is_read_from_its_info(lay, prepare):
    folder = lay(
        {"Info.txt": INFO} | {f"mdb00{i}.png": "" for i in (1, 2, 3, 4)} | {"mdb003.pgm": "", "x.png": ""}
    )
    rows, result = prepare("mini-mias", folder)
    assert list(rows) == [f"mdb00{i}.png" for i in (1, 2, 3, 4)]
    assert [(row.label, row.metadata["grade"], row.group) for row in rows.values()] == [
        ("benign", 1, "mias001"),
        ("normal", 0, "mias001"),
        ("malignant", 2, "mias002"),
        ("malignant", 2, "mias002"),
    ]
    third = rows["mdb003.png"].metadata
    assert third["lesion_box"] == "447,861,60,60;474,830,52,52"
    assert (third["side"], third["view"], third["density"]) == ("R", "MLO", "F")
    assert third["abnormality"] == "CIRC;SPIC"
    assert rows["mdb004.png"].metadata["lesion_box"] is None
    assert rows["mdb004.png"].metadata["side"] == "L"
    assert "4 images, NOT the whole release as published" in result.stderr


def test_mini_mias_as_released_is_pgm_and_its_boxes_lie_where_the_lesion_is(lay, prepare):
    folder = lay({"Info.txt": INFO})
    film = np.zeros((1024, 1024), np.uint8)
    film[1024 - 425 - 197 : 1024 - 425 + 197, 535 - 197 : 535 + 197] = 200
    raw = b"P5\n# mini-MIAS\n1024 1024\n255\n" + film.tobytes()
    (folder / "mdb001.pgm").write_bytes(raw)
    (folder / "MDB002.PGM").write_bytes(raw)
    rows, result = prepare("mini-mias", folder)
    assert list(rows) == ["mdb001.pgm", "MDB002.PGM"]
    x, y, width, height = map(int, str(rows["mdb001.pgm"].metadata["lesion_box"]).split(","))
    (image,) = read_images((folder / "mdb001.pgm").read_bytes())
    assert (image.pixels[y : y + height, x : x + width] == 200).all()
    assert (image.pixels > 0).sum() == width * height
    assert "note:" not in result.stderr


def test_the_real_mini_mias_is_whole_and_says_what_its_labels_say(mini_mias, tmp_path, cbir):
    from cbir.items import read_table

    result = cbir("datasets", "prepare", "mini-mias", mini_mias, "-o", tmp_path / "items.csv")
    assert "322 images, the whole release" in result.stderr
    assert "differs" not in result.stdout
    rows = {row.path: row for row in read_table(str(tmp_path / "items.csv")).rows}
    known = read_table(str(mini_mias / "labels.csv")).rows
    assert rows.keys() == {row.path for row in known}
    for each in known:
        row, said = rows[each.path], each.metadata
        assert (row.label, row.group, row.metadata["grade"]) == (each.label, each.group, said["severity"])
        assert (row.metadata["side"], row.metadata["density"]) == (said["laterality"], said["density"])
        if said["n_findings"] == 1 and said["radius"]:
            box = [int(number) for number in str(row.metadata["lesion_box"]).split(",")]
            assert box[2] <= 2 * said["radius"]
            assert abs(box[0] + box[2] - said["x"] - said["radius"]) <= 1
            assert abs(box[1] + box[3] - (1024 - said["y_from_bottom"]) - said["radius"]) <= 1
