"""Labelled images in their parts: what is read, what is left out, what is refused before the first step."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbir.errors import ColumnError, ItemsError
from cbir.items.split import split_by_group, split_hash, strata
from cbir.training.material import Material, read_material
from cbir.training.preflight import check_contents, check_material

Row = Mapping[str, object]


def written(folder: Path, rows: Sequence[Row]) -> str:
    with (folder / "items.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(folder / "items.csv")


def row(name: str, label: str, group: str, split: str) -> dict[str, str]:
    return {"path": f"{name}.png", "label": label, "group": group, "split": split}


def sound() -> list[dict[str, str]]:
    """Two grades, three parts, two groups of each grade in each."""
    return [
        row(f"{part}{label}{n}", label, f"p-{part}{label}{n}", part)
        for part in ("train", "val", "test")
        for label in ("10", "9")
        for n in range(2)
    ]


def test_grades_are_ordered_by_value_and_parts_are_those_of_the_column(tmp_path):
    material = read_material(written(tmp_path, sound()))
    assert material.classes == ("9", "10")
    assert material.is_ordinal
    assert material.codes.tolist() == [1, 1, 0, 0] * 3
    assert [material.rows(part).tolist() for part in ("train", "val", "test")] == [
        [0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11],
    ]  # fmt: skip
    assert check_material(material, classes_per_batch=2, images_per_class=2) == ()


def test_names_are_ordered_as_text(tmp_path):
    rows = [each | {"label": {"9": "malignant", "10": "benign"}[each["label"]]} for each in sound()]
    material = read_material(written(tmp_path, rows))
    assert material.classes == ("benign", "malignant")
    assert not material.is_ordinal


def test_without_a_column_the_groups_are_dealt_as_items_split_deals_them(tmp_path):
    rows = [{"path": f"{i}.png", "label": str(i % 3), "patient_id": f"p{i // 2}"} for i in range(60)]
    material = read_material(written(tmp_path, rows), seed=7)
    pairs = [(str(each["patient_id"]), str(each["label"])) for each in rows]
    dealt = split_by_group(strata(pairs), (50, 20, 30), seed=7)
    assert list(material.parts) == [dealt[group] for group, _ in pairs]
    assert material.split_hash == split_hash(dealt)
    assert read_material(written(tmp_path, rows), seed=8).parts != material.parts


def test_images_without_a_label_or_a_part_are_left_out_and_counted(tmp_path):
    rows = [*sound(), row("unknown", "", "p-train90", "train"), row("beside", "9", "other", "")]
    material = read_material(written(tmp_path, rows))
    assert (len(material.images), material.n_unlabelled, material.n_outside) == (12, 1, 1)
    unlabelled, outside = check_material(material)
    assert unlabelled.startswith("1 images without a label")
    assert outside.startswith("1 labelled images without a part")


def test_taking_rows_keeps_everything_in_step(tmp_path):
    material = read_material(written(tmp_path, sound()))
    taken = material.take([5, 2])
    assert [image.path[-10:] for image in taken.images] == ["val101.png", "rain90.png"]
    assert (taken.codes.tolist(), taken.parts) == ([1, 0], ("val", "train"))
    assert (taken.classes, taken.split_hash) == (material.classes, material.split_hash)


@given(order=st.permutations(range(12)), changed=st.integers(0, 11))
def test_the_data_hash_knows_content_and_not_order(tmp_path_factory, order, changed):
    folder = tmp_path_factory.mktemp("hash")
    material = read_material(written(folder, sound()))
    contents = [f"{i:064x}" for i in range(12)]
    name = material.data_hash(contents)
    assert material.take(order).data_hash([contents[i] for i in order]) == name
    contents[changed] = "f" * 64
    assert material.data_hash(contents) != name


def drop(rows: list[dict[str, str]], **cells: str) -> list[dict[str, str]]:
    return [each for each in rows if any(each[key] != value for key, value in cells.items())]


REFUSED = {
    "no labels": (lambda rows: [each | {"label": ""} for each in rows], "none of 12 images has a label"),
    "one class": (lambda rows: [each | {"label": "9"} for each in rows], "all 12 labelled images are '9'"),
    "no part": (lambda rows: [each | {"split": ""} for each in rows], "no labelled image has a part"),
    "no train": (lambda rows: drop(rows, split="train"), "no labelled image is in train, of 8"),
    "no val": (lambda rows: drop(rows, split="val"), "no labelled image is in val, of 8"),
    "another part": (lambda rows: [*rows, row("x", "9", "x", "fold1")], "the column 'split' says 'fold1'"),
    "no groups": (lambda rows: [each | {"group": ""} for each in rows], "12 of 12 images have no group"),
    "one group": (
        lambda rows: [*drop(rows, path="train91.png"), row("train91", "9", "p-train90", "train")],
        "class '9' has 2 images of 1 groups in train",
    ),
    "none in train": (lambda rows: drop(rows, split="train", label="9"), "'9' has 0 images of 0 groups"),
    "crossing": (
        lambda rows: [*rows, row("again", "9", "p-train90", "test")],
        r"group 'p-train90' is in train and in test \(.*train90.png, .*again.png\)",
    ),
    "crossing without a label": (
        lambda rows: [*rows, row("again", "", "p-train90", "test")],
        "group 'p-train90' is in train and in test",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_t_be_trained_on_is_refused_in_one_line(tmp_path, name):
    change, message = REFUSED[name]
    path = written(tmp_path, change(sound()))
    with pytest.raises(ItemsError, match=message) as refused:
        check_material(read_material(path))
    assert str(refused.value).startswith(path)
    assert "\n" not in str(refused.value)


def test_a_batch_larger_than_the_training_part_is_refused(tmp_path):
    material = read_material(written(tmp_path, sound()))
    check_material(material, classes_per_batch=2, images_per_class=2)
    with pytest.raises(ItemsError, match="train has 4 images, a batch takes 2 classes × 3 images = 6"):
        check_material(material, classes_per_batch=2, images_per_class=3)


def test_a_part_column_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(ColumnError, match="no column 'splt'; did you mean split"):
        read_material(written(tmp_path, sound()), part_column="splt")


def test_images_without_a_group_may_stand_alone(tmp_path):
    rows = [each | {"group": ""} for each in sound()]
    material = read_material(written(tmp_path, rows), alone=True)
    assert len(set(material.groups)) == 12


def test_a_class_missing_where_it_is_measured_is_a_note(tmp_path):
    rows = drop(drop(sound(), split="val", label="9"), split="test")
    missing, nothing = check_material(read_material(written(tmp_path, rows)))
    assert missing.startswith("val has no image of '9'")
    assert nothing.startswith("no image is in test")


def test_the_same_file_in_two_parts_is_refused_and_within_one_is_not(tmp_path):
    material = read_material(written(tmp_path, sound()))
    contents = [str(i) for i in range(12)]
    check_contents(material, [*contents[:1], contents[0], *contents[2:]])
    with pytest.raises(ItemsError, match=r"train101.png in train and .*val90.png in val are the same file"):
        check_contents(material, [*contents[:6], contents[1], *contents[7:]])


def test_mini_mias_by_density(mini_mias):
    material: Material = read_material(
        str(mini_mias / "labels.csv"), label_column="density_ordinal", group_column="patient_id"
    )
    assert (len(material.images), material.classes, len(set(material.groups))) == (322, ("0", "1", "2"), 161)
    assert check_material(material, classes_per_batch=3, images_per_class=8) == ()
    sizes = np.array([len(material.rows(part)) for part in ("train", "val", "test")])
    assert np.abs(sizes / 322 - [0.5, 0.2, 0.3]).max() < 0.02
