"""One flipped bit anywhere in an index is noticed before the first answer that it could change."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from gallery import add, fill_model, spec_of, unit_rows

from cbir.errors import IndexDamagedError
from cbir.types import Query
from indexer import STORES, Index, IndexWriter, verify_index
from indexer.formats import FORMAT
from indexer.stores import StoreKind
from indexer.stores import faiss as faiss_store

DIM = 8
ROWS = unit_rows(600, DIM, seed=4)
UNUSED = {"writer.lock", "writer.pid", "skipped.jsonl"}


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    """Two blocks, an inverted file, a dead row."""
    path = tmp_path_factory.mktemp("flips") / "sound.index"
    small = StoreKind(partial(faiss_store.build, flat_limit=100), STORES["faiss"].open)
    with pytest.MonkeyPatch.context() as patch, IndexWriter.create(path, spec_of(DIM), fill_model) as writer:
        patch.setitem(STORES, "faiss", small)
        for number, row in enumerate(ROWS):
            add(writer, f"/g/{number}", row, label="l")
            if number == 250:
                writer.commit()
        writer.remove_paths(["/g/0"])
        writer.commit()
        writer.build_store()
    return path


def ask_everything(path: Path) -> None:
    """Open, then one answer of each kind: hits, and the thumbnails of every block."""
    with Index.open(path) as index:
        index.search(Query(ROWS[7], spec_of(DIM).fingerprint), 3)
        for item in index.items():
            index.thumbnail(item.id)


def flip(path: Path, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


def flips_noticed(
    sound: Path, folder: Path, n_flips: int, seed: int, ask: Callable[[Path], None] = ask_everything
) -> int:
    names = sorted(
        str(entry.relative_to(sound))
        for entry in sound.rglob("*")
        if entry.is_file() and entry.name not in UNUSED
    )
    draw = random.Random(seed)
    noticed = 0
    path = folder / "flipped.index"
    shutil.copytree(sound, path)
    for number in range(n_flips):
        name = names[number % len(names)]
        original = (path / name).read_bytes()
        flip(path / name, draw.randrange(len(original) * 8))
        with pytest.raises(IndexDamagedError, match=Path(name).name.replace(".", r"\.")):
            ask(path)
        noticed += 1
        (path / name).write_bytes(original)
    ask(path)
    return noticed


def test_every_flipped_bit_is_noticed(sound, tmp_path):
    assert {entry.suffix for entry in sound.rglob("*")} >= {".f32", ".thumbs", ".faiss", ".sqlite", ".json"}
    assert flips_noticed(sound, tmp_path, 100, seed=11) == 100


@pytest.mark.soak
def test_every_flipped_bit_is_noticed_for_long(sound, tmp_path):
    assert flips_noticed(sound, tmp_path, 2000, seed=12) == 2000


def test_a_file_cut_short_or_gone_is_noticed_and_named(sound, tmp_path):
    path = tmp_path / "cut.index"
    for name in sorted(str(entry.relative_to(sound)) for entry in sound.rglob("*") if entry.is_file()):
        if name in {*UNUSED, "manifest.json"}:
            continue
        shutil.copytree(sound, path)
        (path / name).write_bytes((path / name).read_bytes()[:-1])
        with pytest.raises(IndexDamagedError, match=Path(name).name):
            ask_everything(path)
        (path / name).unlink()
        with pytest.raises(IndexDamagedError, match=rf"{Path(name).name}.*missing"):
            ask_everything(path)
        shutil.rmtree(path)


def test_verify_lists_every_damaged_file(sound, tmp_path):
    path = tmp_path / "verify.index"
    shutil.copytree(sound, path)
    assert verify_index(path).findings == ()
    flip(path / "embeddings" / "000000.f32", 99)
    flip(path / "model" / "branch0.onnx", 3)
    (path / "embeddings" / "000001.thumbs").unlink()
    findings = verify_index(path).findings
    for name in ("000000.f32", "branch0.onnx", "000001.thumbs"):
        assert sum(name in finding for finding in findings) == 1
    assert len(findings) == 3


def test_a_writer_does_not_go_on_from_a_damaged_catalog_or_model(sound, tmp_path):
    for name in ("model/branch0.onnx", next(sound.glob("catalog-*")).name):
        path = tmp_path / "writer.index"
        shutil.copytree(sound, path)
        flip(path / name, 4000)
        with pytest.raises(IndexDamagedError, match=Path(name).name):
            IndexWriter.open(path)
        shutil.rmtree(path)


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_every_flipped_bit_in_an_index_of_an_older_format_is_noticed(golden_index, tmp_path, number):
    sound = golden_index(number)
    assert flips_noticed(sound, tmp_path, 60, seed=number, ask=ask_the_first) == 60
    assert verify_index(sound).ok
    flip(sound / "embeddings" / "000000.f32", 7)
    (finding,) = verify_index(sound).findings
    assert "000000.f32" in finding


def ask_the_first(path: Path) -> None:
    with Index.open(path) as index:
        items = list(index.items())
        index.search(index.query(items[0].id), 3)
        for item in items:
            index.thumbnail(item.id)
