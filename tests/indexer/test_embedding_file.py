"""Files of embeddings: what NumPy and Arrow write is read, anything else is refused in a line."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from gallery import unit_rows

from cbir.errors import VectorError
from indexer import open_embeddings

ROWS = unit_rows(5, 3)


def write_parquet(path, cells, kind, **more):
    columns = {"id": list("abcde")[: len(cells)], "embedding": pa.array(cells, kind)}
    pq.write_table(pa.table(columns | more), path)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_npy_file_is_mapped_and_read_in_order(tmp_path, order):
    np.save(tmp_path / "a.npy", np.asarray(ROWS, order=order))
    file = open_embeddings(tmp_path / "a.npy")
    assert (file.n_rows, file.dim) == (5, 3)
    np.testing.assert_array_equal(list(file.rows()), ROWS)
    np.testing.assert_array_equal(list(file.rows()), ROWS)  # a second time from the first row


def test_rows_beyond_one_block_come_too(tmp_path, monkeypatch):
    monkeypatch.setattr("indexer.importing.embedding_file._BLOCK_BYTES", 30)
    np.save(tmp_path / "a.npy", ROWS)
    np.testing.assert_array_equal(list(open_embeddings(tmp_path / "a.npy").rows()), ROWS)


def test_an_npz_file_names_its_array_where_there_are_several(tmp_path):
    np.savez_compressed(tmp_path / "one.npz", ROWS)
    np.testing.assert_array_equal(list(open_embeddings(tmp_path / "one.npz").rows()), ROWS)
    np.savez(tmp_path / "two.npz", image=ROWS, text=ROWS[:2])
    assert open_embeddings(tmp_path / "two.npz", array="text").n_rows == 2
    with pytest.raises(VectorError, match=r"2 arrays: image, text\. Name one with --array"):
        open_embeddings(tmp_path / "two.npz")
    with pytest.raises(VectorError, match="no 'audio' among its arrays: image, text"):
        open_embeddings(tmp_path / "two.npz", array="audio")


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.float32(), 3)]
)
def test_a_parquet_file_has_one_column_of_lists(tmp_path, kind):
    write_parquet(tmp_path / "a.parquet", ROWS.tolist(), kind)
    file = open_embeddings(tmp_path / "a.parquet")
    assert (file.n_rows, file.dim, file.array) == (5, 3, "embedding")
    np.testing.assert_allclose(list(file.rows()), ROWS)


def test_a_parquet_file_names_its_column_where_there_are_several(tmp_path):
    write_parquet(tmp_path / "a.parquet", ROWS.tolist(), pa.list_(pa.float32()), other=ROWS[:, :2].tolist())
    with pytest.raises(VectorError, match="2 columns of lists of floats: embedding, other"):
        open_embeddings(tmp_path / "a.parquet")
    assert open_embeddings(tmp_path / "a.parquet", array="other").dim == 2


def test_a_parquet_row_without_a_whole_embedding_says_so(tmp_path):
    cells = [[], None, [1.0, 2.0], [3.0], [None, 1.0]]
    write_parquet(tmp_path / "a.parquet", cells, pa.list_(pa.float64()))
    file = open_embeddings(tmp_path / "a.parquet")
    rows = list(file.rows())
    assert (file.dim, rows[0], rows[1]) == (2, "the row has 0 values, the first has 2", "the row is empty")
    assert rows[3] == "the row has 1 values, the first has 2"
    np.testing.assert_array_equal(rows[2], [1, 2])
    np.testing.assert_array_equal(rows[4], [np.nan, 1])


@pytest.mark.parametrize(
    ("array", "named"),
    [
        (np.zeros((3, 2), np.int64), "of int64"),
        (np.zeros(3), r"shape \(3,\)"),
        (np.zeros((0, 3)), "0 rows of 3 values"),
        (np.zeros((3, 0)), "3 rows of 0 values"),
        (np.zeros((2, 2), np.longdouble), "of float128"),
        (np.zeros((2, 2), np.complex64), "of complex64"),
        (np.array([["a"]]), "embeddings are"),
    ],
)
def test_what_is_no_matrix_of_floats_is_refused(tmp_path, array, named):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(VectorError, match=named):
        open_embeddings(tmp_path / "a.npy")


def test_a_pickle_is_never_read(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was read",))

    np.save(tmp_path / "a.npy", np.array([[Trap()]], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "a.npz", np.array([[Trap()]], dtype=object))
    for name in ("a.npy", "a.npz"):
        with pytest.raises(VectorError, match="can't be read"):
            open_embeddings(tmp_path / name)


def test_damaged_files_are_refused_in_a_line(tmp_path):
    np.save(tmp_path / "whole.npy", ROWS)
    np.savez(tmp_path / "whole.npz", ROWS)
    write_parquet(tmp_path / "whole.parquet", ROWS.tolist(), pa.list_(pa.float32()))
    for suffix in (".npy", ".npz", ".parquet"):
        content = (tmp_path / f"whole{suffix}").read_bytes()
        for number, damaged in enumerate([b"", b"junk", content[: len(content) // 2], content[:-3]]):
            path = tmp_path / f"{number}{suffix}"
            path.write_bytes(damaged)
            with pytest.raises(VectorError) as caught:
                open_embeddings(path)
            assert str(path) in str(caught.value)
            assert "\n" not in str(caught.value)


def test_a_parquet_page_that_is_damaged_is_said_when_it_is_met(tmp_path):
    rng = np.random.default_rng(0)
    cells = rng.standard_normal((4000, 8)).tolist()
    pq.write_table(pa.table({"e": cells}), tmp_path / "a.parquet", row_group_size=1000, compression="gzip")
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = bytes(2000)
    (tmp_path / "a.parquet").write_bytes(content)
    file = open_embeddings(tmp_path / "a.parquet")
    with pytest.raises(VectorError, match="can't be read"):
        list(file.rows())


@pytest.mark.parametrize(
    ("name", "array", "named"),
    [
        ("a.txt", None, r"ends with '.txt'"),
        ("gone.npy", None, "no file"),
        ("a.npy", "x", "Leave out --array"),
    ],
)
def test_a_name_that_can_not_be_is_refused(tmp_path, name, array, named):
    np.save(tmp_path / "a.npy", ROWS)
    (tmp_path / "a.txt").write_text("1 2 3")
    with pytest.raises(VectorError, match=named):
        open_embeddings(tmp_path / name, array=array)
