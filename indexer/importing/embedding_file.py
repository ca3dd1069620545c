"""Embeddings that lie in a file: NumPy's .npy and .npz, or a list column of Parquet."""

from __future__ import annotations

import contextlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cbir.errors import VectorError

if TYPE_CHECKING:
    from pyarrow import DataType, RecordBatch
    from pyarrow.parquet import ParquetFile

Row: TypeAlias = NDArray[np.floating] | str
"""(dim,) as stored, of any length, perhaps not finite; or why there is none, in a line."""

_BLOCK_BYTES = 16 << 20
_NDIM = 2
_DAMAGE = (OSError, ValueError, EOFError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What NumPy, zip and Arrow raise of a damaged file, or of one that needs a pickle."""
_SUFFIXES = (".npy", ".npz", ".parquet")


@dataclass(frozen=True, slots=True)
class EmbeddingFile:
    """A matrix in a file, read block by block.

    Args:
        path: of the file.
        array: which of the file's arrays or columns it is; None where there is but one.
        n_rows: at least 1.
        dim: values a row, at least 1.
        rows: begins at the first row each time it is called; raises VectorError where the file is damaged.
    """

    path: Path
    array: str | None
    n_rows: int
    dim: int
    rows: Callable[[], Iterator[Row]]


def open_embeddings(path: Path, *, array: str | None = None) -> EmbeddingFile:
    """Open a file of embeddings, one a row: float16, float32 or float64. Pickles are never read.

    A .npy file is mapped, Parquet is read in batches; an array of an .npz is held in memory once.

    Args:
        path: ends with .npy, .npz or .parquet.
        array: which array of an .npz, or column of a Parquet file; needed only where there are several.

    Raises:
        VectorError: missing, damaged or another kind of file, several arrays and none named, or no matrix of
            such numbers.
    """
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise VectorError(f"{path} ends with {suffix!r}; embeddings come as {', '.join(_SUFFIXES)}.")
    if suffix == ".npy" and array is not None:
        raise VectorError(f"{path} is one array, {array!r} was asked for. Leave out --array.")
    if not path.is_file():
        raise VectorError(f"{path} is no file. Correct the path of the embeddings.")
    with _readable(path):
        if suffix == ".parquet":
            return _parquet(path, array)
        return _mapped(path) if suffix == ".npy" else _member(path, array)


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        why = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise VectorError(f"{path} can't be read: {why}. Save it again, as plain numbers.") from error


def _mapped(path: Path) -> EmbeddingFile:
    matrix: NDArray[np.floating] = np.lib.format.open_memmap(path, mode="r")
    return _matrix(path, None, matrix)


def _member(path: Path, name: str | None) -> EmbeddingFile:
    if not zipfile.is_zipfile(path):
        raise VectorError(f"{path} is no .npz file, whatever its name. Save it with numpy.savez.")
    with np.load(path, allow_pickle=False) as archive:
        chosen = _chosen(path, name, archive.files, "arrays")
        return _matrix(path, chosen, archive[chosen])


def _chosen(path: Path, name: str | None, names: list[str], what: str) -> str:
    if name in names:
        return name
    listed = ", ".join(names) or "none"
    if name is None and len(names) == 1:
        return names[0]
    if name is None:
        raise VectorError(f"{path} has {len(names)} {what}: {listed}. Name one with --array.")
    raise VectorError(f"{path} has no {name!r} among its {what}: {listed}. Correct --array.")


def _matrix(path: Path, name: str | None, matrix: NDArray[np.floating]) -> EmbeddingFile:
    if matrix.ndim != _NDIM or matrix.dtype.kind != "f" or matrix.dtype.itemsize > np.dtype("f8").itemsize:
        raise VectorError(
            f"{path} has the shape {matrix.shape} of {matrix.dtype}; embeddings are (rows, dim) of float16, "
            "float32 or float64."
        )
    n_rows, dim = _checked_size(path, *matrix.shape)
    step = max(1, _BLOCK_BYTES // (dim * matrix.dtype.itemsize))

    def rows() -> Iterator[Row]:
        for start in range(0, n_rows, step):
            yield from np.array(matrix[start : start + step])

    return EmbeddingFile(path, name, n_rows, dim, rows)


def _checked_size(path: Path, n_rows: int, dim: int) -> tuple[int, int]:
    if not n_rows or not dim:
        raise VectorError(f"{path} holds {n_rows} rows of {dim} values: there is nothing to import.")
    return n_rows, dim


def _parquet(path: Path, name: str | None) -> EmbeddingFile:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        vectors = [field.name for field in file.schema_arrow if _is_vector(field.type)]
        column = _chosen(path, name, vectors, "columns of lists of floats")
        lengths = (len(row) for row in _parquet_rows(file, column, 1) if not isinstance(row, str))
        dim = next(filter(None, lengths), 0)
        n_rows, dim = _checked_size(path, file.metadata.num_rows, dim)

    def rows() -> Iterator[Row]:
        with _readable(path), ParquetFile(path) as file:
            for row in _parquet_rows(file, column, max(1, _BLOCK_BYTES // (dim * 8))):
                if isinstance(row, str) or len(row) == dim:
                    yield row
                else:
                    yield f"the row has {len(row)} values, the first has {dim}"

    return EmbeddingFile(path, column, n_rows, dim, rows)


def _is_vector(kind: DataType) -> bool:
    from pyarrow import types

    is_list = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(is_list and types.is_floating(kind.value_type))


def _parquet_rows(file: ParquetFile, column: str, batch_size: int) -> Iterator[Row]:
    for batch in file.iter_batches(batch_size, columns=[column]):
        yield from _batch_rows(batch)


def _batch_rows(batch: RecordBatch) -> Iterator[Row]:
    for cell in batch.column(0):
        if not cell.is_valid:
            yield "the row is empty"
        else:  # a missing value inside becomes NaN
            values: NDArray[np.floating] = cell.values.to_numpy(zero_copy_only=False)
            yield values
