from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gallery import add, fill_model, gallery, image_of, record_of, spec_of, unit_rows

from cbir.errors import ColumnError, ItemsError, SpecError
from cbir.evaluation.measures import precision
from cbir.extractors.fitting.branches import branch_rows
from cbir.extractors.fusion import fuse
from cbir.extractors.spec import ExtractorSpec, FusionSpec, ProjectionSpec
from cbir.items.part import Part
from indexer import Index, IndexWriter
from indexer.fitting.fusion import fit_weights
from indexer.fitting.rows import fitting_rows

DIM = 8


def two(*dims: int) -> ExtractorSpec:
    branches = tuple(spec_of(dim).branches[0] for dim in dims)
    return replace(spec_of(dims[0]), branches=branches, fusion=FusionSpec("l2", (1.0, 3.0)))


def filled(path: Path, strengths: tuple[float, float], n: int = 48) -> Path:
    """Two branches that know as much of the label as they are strong; two images a patient."""
    rng = np.random.default_rng(0)
    codes = np.arange(n) // 2 % 3
    raw = [
        (rng.normal(size=(n, DIM)) + strength * np.eye(3, DIM)[codes]).astype(np.float32)
        for strength in strengths
    ]
    rows = fuse(raw, two(DIM, DIM).fusion)
    with IndexWriter.create(path, two(DIM, DIM), fill_model) as writer:
        for number, row in enumerate(rows):
            said = {"label": f"l{codes[number]}"} if number % 7 else {}
            metadata = {"split": "val" if number < 40 else "test", "grade": int(codes[number])}
            add(writer, f"/g/{number}", row, group=f"g{number // 2}", metadata=metadata, **said)
        writer.commit()
        writer.build_store()
    return path


def test_a_branchs_rows_are_what_it_said_whatever_its_weight():
    raw = [unit_rows(6, 5, 1) * 3, unit_rows(6, 7, 2)]
    raw[1][4] = 0
    found = branch_rows(two(5, 7), fuse(raw, FusionSpec("l2", (1.0, 3.0))))
    assert np.allclose(found[0], raw[0] / 3, atol=1e-6)
    assert np.allclose(found[1], raw[1], atol=1e-6)


def test_rows_are_those_of_the_part_with_a_label(tmp_path):
    with Index.open(filled(tmp_path / "two.index", (1, 1))) as index:
        rows = fitting_rows(index, Part("split", ("val",)), label="label")
        assert (len(rows.items), rows.n_unlabelled) == (34, 6)
        assert all(
            np.array_equal(vector, index.query(item.id).embedding)
            for vector, item in zip(rows.vectors, rows.items, strict=True)
        )
        assert len(fitting_rows(index).items) == 48
        graded = fitting_rows(index, label="grade")
        assert set(graded.labels) == {"0", "1", "2"}
        with pytest.raises(ColumnError, match="grade"):
            fitting_rows(index, label="grades")
        with pytest.raises(ItemsError, match="different values; fitting takes two"):
            fitting_rows(index, Part("label", ("l1",)), label="label")


@pytest.mark.parametrize(("strengths", "better"), [((4.0, 0.0), True), ((1.0, 1.0), False)])
def test_learned_weights_are_called_better_only_where_the_test_says_so(tmp_path, strengths, better):
    with Index.open(filled(tmp_path / "two.index", strengths)) as index:
        rows = fitting_rows(index, label="grade")
        fitted = fit_weights(index.spec, rows, k=5)
        assert fit_weights(index.spec, rows, k=5) == fitted
    assert fitted.is_better is better
    assert len(fitted.spread) == 5
    assert (fitted.learned.weights[0] > 0.6) is better
    assert -1 <= fitted.paired.comparison.difference <= 1


def test_the_value_of_equal_weights_is_that_of_an_index_of_equal_weights(tmp_path):
    from cbir.evaluation.protocol import rank_queries

    with Index.open(filled(tmp_path / "two.index", (2, 1))) as index:
        rows = fitting_rows(index, label="grade")
        fitted = fit_weights(index.spec, rows, k=5)
        branches = branch_rows(index.spec, rows.vectors)
    equal = fuse(branches, FusionSpec("l2", (1.0, 1.0))).astype(np.float64)
    ids = [item.id for item in rows.items]

    def search(query_ids, depth):
        scores = [equal @ equal[ids.index(each)] for each in query_ids]
        return [[ids[each] for each in np.argsort(-row)[:depth]] for row in scores]

    study = rank_queries(rows.items, search, 5)
    sample = study.sample([precision(ranking, 5) for ranking in study.rankings])
    assert fitted.paired.other == pytest.approx(sample.mean("macro"))


def test_few_groups_are_enough_though_some_folds_are_empty(tmp_path):
    with Index.open(filled(tmp_path / "two.index", (2, 1), n=18)) as index:
        assert len(fit_weights(index.spec, fitting_rows(index, label="grade"), k=3).spread) == 5


def test_images_in_parts_give_a_row_a_part_and_no_weights(tmp_path):
    rows = unit_rows(12, 2 * DIM)
    with IndexWriter.create(tmp_path / "parts.index", two(DIM, DIM), fill_model) as writer:
        for number, (name, part) in enumerate([("/one", rows[:1]), ("/five", rows[1:6]), ("/six", rows[6:])]):
            boxes = tuple((10 * each, 0, 10, 20) for each in range(len(part)))
            image = image_of(name, part, boxes=boxes)
            writer.add_file(record_of(name, name), [image], label=f"l{number % 2}", group=name)
        writer.commit()
        writer.build_store()
    with Index.open(tmp_path / "parts.index") as index:
        found = fitting_rows(index, label="label")
        assert (found.n_items, found.vectors.shape, len(found.items)) == (3, (12, 2 * DIM), 12)
        assert sorted(map(tuple, found.vectors)) == sorted(map(tuple, rows))
        assert [item.path for item in found.items].count("/five") == 5
        with pytest.raises(SpecError, match="gave 3 images 12 vectors"):
            fit_weights(index.spec, found)


def test_what_can_not_be_fitted_on_is_refused(tmp_path):
    with Index.open(gallery(tmp_path / "one.index", unit_rows(12, 4))) as index:
        rows = fitting_rows(index, label="label")
        with pytest.raises(SpecError, match="has 1 branch; weights take two"):
            fit_weights(index.spec, rows)
    spec = replace(spec_of(4), projection=ProjectionSpec("white.safetensors", "a" * 64, 3))
    with IndexWriter.create(tmp_path / "white.index", spec, fill_model) as writer:
        add(writer, "/g/0", unit_rows(1, 3)[0])
        writer.commit()
        writer.build_store()
    projected = r"white\.safetensors has projected to 3 of 4 numbers"
    with Index.open(tmp_path / "white.index") as index, pytest.raises(SpecError, match=projected):
        fitting_rows(index)
