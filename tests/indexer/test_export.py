"""An export holds what can be found, and an import of it finds the same."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gallery import add, fill_model, gallery, image_of, record_of, spec_of, unit_rows
from pyarrow import parquet

from cbir.errors import IndexDamagedError, IndexWriteError, ItemsError, SpecError, VectorError
from cbir.items import read_table
from indexer import Index, IndexWriter, import_embeddings, open_embeddings, verify_index
from indexer.asking.tenants import remember_tenant_column
from indexer.exporting import export_index
from indexer.exporting.read import open_export
from indexer.importing.export import import_export

DIM = 6
ROWS = unit_rows(40, DIM, seed=8)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Frames, parts with boxes, shared bytes, odd names and values, a removed item."""
    path = tmp_path / "lesions.index"
    with IndexWriter.create(path, spec_of(DIM), fill_model) as writer:
        add(
            writer,
            '/b/é,"x"\n.png',
            ROWS[0],
            label="ä",
            group="g",
            metadata={"view": "CC", "age": 3, "id": 7},
        )
        add(writer, "/b/two", ROWS[1], metadata={"view": None, "age": 2.5, "mixed": True, "flag": True})
        add(writer, "/a/gone", ROWS[2])
        tiles = replace(image_of("tiles", ROWS[3:6]), boxes=((0, 0, 4, 4), (2, 0, 4, 4), (4, 0, 4, 4)))
        writer.add_file(record_of("/a/tiles", "tiles"), [tiles], label="t", metadata={"mixed": 2**70})
        pages = [
            replace(image_of("pages", ROWS[6 + n], frame=n), info={"page": n, "view": "CC"}) for n in (0, 1)
        ]
        writer.add_file(record_of("/a/pages", "pages"), pages, group="p")
        writer.link_file(record_of("/z/pages", "pages", "duplicate"), group="q", metadata={"view": "MLO"})
        writer.commit()
        add(writer, "/a/late", ROWS[9], label="l", metadata={"mixed": "text", "big": 2**63})
        writer.remove_paths(["/a/gone"])
        writer.commit()
    return path


def found_in(path: Path) -> dict[tuple[str, int], list[tuple[str, int, float, object]]]:
    """The hits of every item."""
    with Index.open(path) as index:
        return {
            (item.path, item.frame): [
                (hit.item.path, hit.item.frame, round(hit.score, 6), hit.box)
                for hit in index.search(index.query(item.id), 50)
            ]
            for item in index.items()
        }


def said_in(path: Path) -> dict[tuple[str, int], object]:
    with Index.open(path) as index:
        return {
            (item.path, item.frame): (
                item.id,
                item.label,
                item.group,
                {name: value for name, value in item.metadata.items() if value is not None},
            )
            for item in index.items()
        }


def test_what_is_exported_and_imported_again_finds_the_same(source, tmp_path):
    exported = export_index(source, tmp_path / "a.parquet")
    assert (exported.n_items, exported.n_rows) == (8, 10)
    assert exported.n_bytes == (tmp_path / "a.parquet").stat().st_size
    export = open_export(tmp_path / "a.parquet")
    assert (export.name, export.fingerprint, export.dim, export.n_rows) == (
        "seeded", spec_of(DIM).fingerprint, DIM, 10,
    )  # fmt: skip
    report = import_export(tmp_path / "back.index", export)
    assert (report.found, report.indexed, report.duplicate, report.images) == (6, 5, 1, 6)
    assert found_in(tmp_path / "back.index") == found_in(source)
    before, after = said_in(source), said_in(tmp_path / "back.index")
    assert before.keys() == after.keys()
    for key, (item_id, label, group, metadata) in before.items():
        if key == ("/b/two", 0):
            metadata["mixed"] = "true"  # columns have one type
        if key == ("/a/tiles", 0):
            metadata["mixed"] = str(2**70)
        if key == ("/a/late", 0):
            metadata["big"] = str(2**63)
        assert after[key] == (item_id, label, group, metadata)
    assert verify_index(tmp_path / "back.index").ok
    with Index.open(tmp_path / "back.index") as index, Index.open(source) as original:
        assert not index.spec.can_embed
        assert index.fingerprint != original.fingerprint
        for item in original.items():
            mine = original.query(item.id).embedding
            assert np.array_equal(index.query(item.id).embedding, mine)


def test_importing_again_changes_nothing_and_another_export_is_refused(source, tmp_path):
    export_index(source, tmp_path / "a.parquet")
    export = open_export(tmp_path / "a.parquet")
    import_export(tmp_path / "back.index", export)
    report = import_export(tmp_path / "back.index", export)
    assert (report.found, report.unchanged) == (6, 6)
    with IndexWriter.open(source) as writer:
        writer.remove_paths(["/b/two"])
        writer.commit()
    export_index(source, tmp_path / "b.parquet")
    with pytest.raises(ItemsError, match=r"import already, of other files or options \(export\)"):
        import_export(tmp_path / "back.index", open_export(tmp_path / "b.parquet"))


def test_an_import_that_was_stopped_goes_on(source, tmp_path):
    export_index(source, tmp_path / "a.parquet")
    export = open_export(tmp_path / "a.parquet")
    stopped = import_export(tmp_path / "back.index", export, on_progress=lambda progress: progress.found == 2)
    assert (stopped.found, stopped.interrupted) == (2, True)
    report = import_export(tmp_path / "back.index", export)
    assert (report.found, report.unchanged) == (6, 2)
    assert found_in(tmp_path / "back.index") == found_in(source)


def test_parquet_has_a_column_a_thing_and_says_the_fingerprint(source, tmp_path):
    export_index(source, tmp_path / "a.parquet")
    table = parquet.read_table(tmp_path / "a.parquet")
    kinds = {field.name: str(field.type) for field in table.schema}
    assert kinds["embedding"] == f"fixed_size_list<element: float>[{DIM}]"
    assert (kinds["age"], kinds["flag"], kinds["mixed"], kinds["page"]) == (
        "double",
        "bool",
        "string",
        "int64",
    )
    assert (kinds["metadata.id"], kinds["id"]) == ("int64", "string")
    said = table.schema.metadata
    assert said[b"cbir.fingerprint"].decode() == spec_of(DIM).fingerprint
    assert json.loads(said[b"cbir.spec"]) == spec_of(DIM).to_dict()
    paths = table["path"].to_pylist()
    assert paths == sorted(paths)
    assert [row["box"] for row in table.to_pylist() if row["path"] == "/a/tiles"] == [
        [0, 0, 4, 4], [2, 0, 4, 4], [4, 0, 4, 4],
    ]  # fmt: skip


def test_whole_images_have_no_columns_of_parts(tmp_path):
    export_index(gallery(tmp_path / "g.index", ROWS[:5]), tmp_path / "a.parquet")
    names = parquet.read_schema(tmp_path / "a.parquet").names
    assert names == ["id", "path", "frame", "label", "group", "sha256", "pixels_sha256", "embedding"]


def test_tenants_stay_apart(source, tmp_path):
    with IndexWriter.open(source) as writer:
        remember_tenant_column(writer, "view")
        writer.commit()
    export_index(source, tmp_path / "a.parquet")
    import_export(tmp_path / "back.index", open_export(tmp_path / "a.parquet"))
    with Index.open(tmp_path / "back.index", tenant="MLO") as index:
        assert {item.path for item in index.items()} == {"/z/pages"}


def test_a_matrix_with_an_items_file_is_what_import_takes(tmp_path):
    source = gallery(tmp_path / "g.index", ROWS)
    exported = export_index(source, tmp_path / "a.npy")
    assert [each.name for each in exported.files] == ["a.json", "a.csv", "a.npy"]
    matrix = np.load(tmp_path / "a.npy")
    assert (matrix.shape, matrix.dtype) == ((40, DIM), np.dtype("<f4"))
    assert json.loads((tmp_path / "a.json").read_text())["fingerprint"] == spec_of(DIM).fingerprint
    table = read_table(str(tmp_path / "a.csv"))
    import_embeddings(tmp_path / "back.index", open_embeddings(tmp_path / "a.npy"), table, name="seeded")
    assert found_in(tmp_path / "back.index") == found_in(source)


def test_a_matrix_of_parts_has_a_row_a_part(source, tmp_path):
    export_index(source, tmp_path / "a.npy")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(np.load(tmp_path / "a.npy")) == 10
    assert [(row["part"], row["box"]) for row in rows if row["path"] == "/a/tiles"] == [
        ("0", "0,0,4,4"), ("1", "2,0,4,4"), ("2", "4,0,4,4"),
    ]  # fmt: skip


def test_a_path_that_is_not_utf_8_is_bytes_in_parquet_and_refused_in_csv(tmp_path):
    path = tmp_path / "odd.index"
    odd = os.fsdecode(b"/caf\xe9")
    with IndexWriter.create(path, spec_of(DIM), fill_model) as writer:
        add(writer, odd, ROWS[0])
        add(writer, "/plain", ROWS[1])
        writer.commit()
    export_index(path, tmp_path / "a.parquet")
    import_export(tmp_path / "back.index", open_export(tmp_path / "a.parquet"))
    assert found_in(tmp_path / "back.index") == found_in(path)
    with pytest.raises(ItemsError, match=r"'/caf\\udce9' is not UTF-8"):
        export_index(path, tmp_path / "a.npy")
    assert sorted(each.suffix for each in tmp_path.iterdir()) == [".index", ".index", ".parquet"]


def test_an_empty_index_is_exported(tmp_path):
    IndexWriter.create(tmp_path / "e.index", spec_of(DIM), fill_model).close()
    for name in ("a.parquet", "a.npy"):
        assert export_index(tmp_path / "e.index", tmp_path / name).n_rows == 0
    assert import_export(tmp_path / "back.index", open_export(tmp_path / "a.parquet")).found == 0


def test_memory_is_a_chunks_whatever_an_image_has_in_parts(source, tmp_path, monkeypatch):
    export_index(source, tmp_path / "a.parquet")
    monkeypatch.setattr("indexer.exporting.chunks._MOST", 2)
    monkeypatch.setattr("indexer.listing.PAGE", 3)
    export_index(source, tmp_path / "b.parquet")
    assert parquet.ParquetFile(tmp_path / "b.parquet").num_row_groups == 5
    assert parquet.read_table(tmp_path / "a.parquet").equals(parquet.read_table(tmp_path / "b.parquet"))


def test_nothing_is_written_over_and_only_two_kinds_are_written(source, tmp_path):
    (tmp_path / "a.csv").touch()
    with pytest.raises(IndexWriteError, match=r"a\.csv.*already"):
        export_index(source, tmp_path / "a.npy")
    with pytest.raises(SpecError, match=r"\.txt.*\.parquet"):
        export_index(source, tmp_path / "a.txt")
    block = source / "embeddings" / "000000.f32"
    block.write_bytes(block.read_bytes()[:-1] + b"?")
    with pytest.raises(IndexDamagedError, match=r"000000\.f32"):
        export_index(source, tmp_path / "a.parquet")
    assert not (tmp_path / "a.parquet").exists()


def test_an_export_that_was_tampered_with_is_refused(source, tmp_path):
    export_index(source, tmp_path / "a.parquet")
    table = parquet.read_table(tmp_path / "a.parquet")

    def saved(changed) -> Path:
        parquet.write_table(changed, tmp_path / "b.parquet")
        return tmp_path / "b.parquet"

    assert open_export(saved(table.replace_schema_metadata(None))) is None
    assert open_export(tmp_path / "none.parquet") is None
    newer = table.replace_schema_metadata({**table.schema.metadata, b"cbir.export": b"9"})
    with pytest.raises(VectorError, match=r"kind 9, this cbir reads 1\. Update"):
        open_export(saved(newer))
    with pytest.raises(VectorError, match="no column 'sha256'"):
        open_export(saved(table.drop_columns(["sha256"])))
    for order, said in (("descending", "order of its paths"), ("ascending", "not all parts")):
        changed = table.sort_by([("path", order)]) if order == "descending" else table.slice(4)
        with pytest.raises(ItemsError, match=said):
            import_export(tmp_path / f"{order}.index", open_export(saved(changed)))
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-9])
    with pytest.raises(VectorError, match="can't be read as an export"):
        open_export(tmp_path / "b.parquet")
