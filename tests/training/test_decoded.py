"""Every image decoded once: what is kept, found again and left out, and what a full disk leaves."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from cbir.errors import ItemsError, SkipReason, SpecError, TrainingError
from cbir.extractors.extractor import Extractor
from cbir.extractors.spec import BranchSpec, ExtractorSpec, TileSpec, WeightsRef
from cbir.images.decoding import Decoding
from cbir.images.pool import DecodePool
from cbir.images.settings import ReadSpec
from cbir.images.steps import Grey, Normalise, Resize
from cbir.items.found import Found
from cbir.training.feeding.decoded import CachedPlan, Decoded, decode_images, network_plans, store
from cbir.training.feeding.decoded_feed import DecodedFeed
from cbir.training.feeding.feed import Feed
from cbir.training.material import Material
from cbir.training.preflight import check_material
from cbir.training.recipe import Batches, NetworkRecipe, read_recipe
from indexer.ingest import update_index
from indexer.ingesting.account import IngestOptions, SourceList

NORMAL = Normalise((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
BRANCH = BranchSpec("timm:test_resnet", WeightsRef("any", "0" * 64), (Resize(32, 32), NORMAL), "avg", 96)
SPEC = ExtractorSpec("small", ReadSpec(), (BRANCH,))
PLANS = network_plans(SPEC, BRANCH, 40)
ONE_WORKER = Decoding(n_workers=1)


def material_of(paths: list[Path]) -> Material:
    """Two classes by turns; of six images, two in each part."""
    n = len(paths)
    return Material(
        source="items.csv",
        images=tuple(Found(str(path), label=str(i % 2), group=f"g{i}") for i, path in enumerate(paths)),
        classes=("0", "1"),
        codes=np.arange(n) % 2,
        groups=tuple(f"g{i}" for i in range(n)),
        parts=tuple(("train", "val", "test")[i * 3 // n] for i in range(n)),  # type: ignore[misc]
        split_hash="",
    )


@pytest.fixture
def pictures(tmp_path) -> list[Path]:
    """Grey, 16 bits, colour; a multi-page TIFF among them."""
    random = np.random.default_rng(0)
    paths = [tmp_path / f"picture{i}.png" for i in range(5)]
    Image.fromarray(random.integers(0, 256, (50, 60), dtype=np.uint8)).save(paths[0])
    cv2.imwrite(str(paths[1]), random.integers(0, 65536, (50, 60), dtype=np.uint16))
    for path in paths[2:]:
        Image.fromarray(random.integers(0, 256, (50, 60, 3), dtype=np.uint8)).save(path)
    pages = [Image.fromarray(np.full((50, 60), 80 * page, dtype=np.uint8)) for page in range(3)]
    pages[0].save(tmp_path / "pages.tiff", save_all=True, append_images=pages[1:])
    return [*paths, tmp_path / "pages.tiff"]


@dataclass
class Cache:
    folder: Path

    def decode(self, paths: list[Path], **options) -> Decoded:
        return decode_images(
            material_of(paths), PLANS, self.folder, read=SPEC.read, decoding=ONE_WORKER, **options
        )

    def files(self) -> set[str]:
        return {str(each.relative_to(self.folder)) for each in self.folder.rglob("*") if each.is_file()}


@pytest.fixture
def cache(tmp_path) -> Cache:
    return Cache(tmp_path / "cache")


def test_a_second_run_decodes_nothing_and_reads_the_same(pictures, cache, monkeypatch):
    told: list[int] = []
    first = cache.decode(pictures, on_file=lambda: told.append(1))
    assert (first.n_decoded, len(first.unread), len(told)) == (6, 0, 6)
    written = cache.files()
    assert len(written) == 12
    monkeypatch.setattr(DecodePool, "decode", lambda *_: pytest.fail("decoded again"))
    second = cache.decode(pictures)
    assert second.n_decoded == 0
    assert second.contents == first.contents
    for one, other in zip(first.pixels, second.pixels, strict=True):
        assert (one[range(6)] == other[range(6)]).all()
    assert cache.files() == written


def test_what_is_kept_is_what_the_pool_prepares(pictures, cache):
    decoded = cache.decode(pictures)
    to_augment, exact = decoded.pixels
    assert (to_augment.shape, exact.shape) == ((3, 40, 40), (3, 32, 32))
    batch = exact[range(6)]
    with DecodePool(ReadSpec(), [BRANCH.preprocess, PLANS[0].steps], n_workers=1) as pool:
        for row, path in enumerate(pictures):
            prepared = pool.decode(path.read_bytes())[0].prepared
            assert batch[row].tobytes() == prepared[0][0].tobytes()
            in_8_bits = to_augment[[row]][0]
            assert in_8_bits.dtype == np.uint8
            assert np.abs(in_8_bits / 255 - prepared[1][0]).max() <= 0.5 / 255 + 1e-6
    colour = np.asarray(Image.open(pictures[2]))
    area = cv2.resize(colour, (40, 40), interpolation=cv2.INTER_AREA)
    assert (to_augment[[2]][0] == area.transpose(2, 0, 1)).all(), "8 bits stay what they are"


def test_of_several_pages_the_middle_one_is_kept_even_where_an_index_takes_all(pictures, cache):
    read = ReadSpec(frames="all")
    decoded = decode_images(material_of(pictures), PLANS, cache.folder, read=read, decoding=ONE_WORKER)
    assert (decoded.pixels[0][[5]] == 80).all()


def test_grey_images_are_one_plane_on_the_disk(pictures, cache):
    cache.decode(pictures)
    sizes = sorted((cache.folder / name).stat().st_size - 16 for name in cache.files())
    assert sizes == [40 * 40] * 3 + [3 * 40 * 40] * 3 + [4 * 3 * 32 * 32] * 6


def test_a_file_that_changed_is_decoded_anew_and_a_new_one_beside_the_others(pictures, cache, tmp_path):
    before = cache.decode(pictures)
    Image.fromarray(np.full((50, 60), 7, dtype=np.uint8)).save(pictures[0])
    after = cache.decode(pictures)
    assert after.n_decoded == 1
    assert after.contents[0] != before.contents[0]
    assert (after.pixels[0][[0]] == 7).all()
    assert (after.pixels[0][range(1, 6)] == before.pixels[0][range(1, 6)]).all()


def test_another_plan_or_way_to_read_is_another_cache(pictures, cache):
    cache.decode(pictures)
    read = ReadSpec(frames="first")
    assert decode_images(material_of(pictures), PLANS, cache.folder, read=read).n_decoded == 6
    plans = network_plans(SPEC, BRANCH, 48)
    again = decode_images(material_of(pictures), plans, cache.folder, read=SPEC.read)
    assert again.n_decoded == 6
    assert again.pixels[0].shape == (3, 48, 48)


def test_unreadable_images_are_left_out_with_their_reasons(pictures, cache, tmp_path):
    pictures[1].write_bytes(pictures[1].read_bytes()[:300])
    pictures[3].write_text("no image")
    missing = tmp_path / "missing.png"
    decoded = cache.decode([*pictures[:5], missing])
    assert [(each.path, each.reason) for each in decoded.unread] == [
        (str(pictures[1]), SkipReason.TRUNCATED),
        (str(pictures[3]), SkipReason.NOT_AN_IMAGE),
        (str(missing), SkipReason.VANISHED),
    ]
    assert [image.path for image in decoded.material.images] == [str(pictures[i]) for i in (0, 2, 4)]
    assert len(decoded.contents) == len(decoded.pixels[0]) == len(decoded.pixels[1]) == 3
    with pytest.raises(ItemsError, match="class '0' has 1 images of 1 groups in train"):
        check_material(decoded.material)


def test_the_same_file_in_two_parts_is_refused(pictures, cache):
    pictures[5].write_bytes(pictures[0].read_bytes())
    with pytest.raises(ItemsError, match=r"picture0.png in train and .*pages.tiff in test are the same file"):
        cache.decode(pictures)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_entry_is_decoded_anew(pictures, cache, damage):
    before = cache.decode(pictures).pixels[1][range(6)]
    victim = cache.folder / sorted(cache.files())[3]
    data = bytearray(victim.read_bytes())
    data[100] ^= 1
    victim.write_bytes({"cut": data[:-20], "flipped": data, "empty": b""}[damage])
    after = cache.decode(pictures)
    assert after.n_decoded == 1
    assert (after.pixels[1][range(6)] == before).all()


@pytest.mark.parametrize("fail_at", [1, 6])
@pytest.mark.parametrize("call", ["_write", "_replace"])
def test_a_full_disk_is_one_line_leaves_nothing_half_and_the_next_run_goes_on(
    pictures, cache, monkeypatch, call, fail_at
):
    real, n_calls = getattr(store, call), 0

    def refusing(*values):
        nonlocal n_calls
        n_calls += 1
        if n_calls >= fail_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*values)

    with monkeypatch.context() as patch:
        patch.setattr(store, call, refusing)
        with pytest.raises(TrainingError, match=r"No space left on device\. Make room") as refused:
            cache.decode(pictures)
    assert "\n" not in str(refused.value)
    whole = cache.files()
    assert not any(name.startswith("incoming") for name in whole)
    decoded = cache.decode(pictures)
    assert 6 - len(whole) <= decoded.n_decoded <= 6 - len(whole) // 2
    assert len(decoded.material.images) == 6


def test_interrupted_in_the_middle_it_goes_on_from_there(pictures, cache):
    n_done = 0

    def interrupt() -> None:
        nonlocal n_done
        n_done += 1
        if n_done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.decode(pictures, on_file=interrupt)
    assert cache.decode(pictures).n_decoded <= 3


def test_killed_in_the_middle_of_a_write_nothing_half_is_taken_for_whole(pictures, cache):
    child = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_decoded import Cache, Path, store
n_writes = 0
def half(descriptor, data):
    global n_writes
    n_writes += 1
    written = os.write(descriptor, data[: len(data) // 2 + 1])
    if n_writes == 30:
        os.kill(os.getpid(), signal.SIGKILL)
    return written
store._write = half
Cache(Path({str(cache.folder)!r})).decode([Path(each) for each in {[str(each) for each in pictures]!r}])
"""
    done = subprocess.run([sys.executable, "-c", child], check=False)
    assert done.returncode == -signal.SIGKILL
    left = cache.files()
    assert any(name.startswith("incoming") for name in left)
    decoded = cache.decode(pictures)
    assert 0 < decoded.n_decoded <= 6
    fresh = Cache(cache.folder.with_name("fresh")).decode(pictures)
    for one, other in zip(decoded.pixels, fresh.pixels, strict=True):
        assert (one[range(6)] == other[range(6)]).all()


def test_what_a_killed_run_was_writing_is_swept_up_later(pictures, cache):
    incoming = cache.folder / "incoming"
    incoming.mkdir(parents=True)
    old, young = incoming / "old", incoming / "young"
    old.touch()
    young.touch()
    os.utime(old, (time.time() - 7200,) * 2)
    cache.decode(pictures)
    assert list(incoming.iterdir()) == [young]


def test_an_image_that_is_gone_in_the_middle_of_a_training_is_one_line(pictures, cache):
    decoded = cache.decode(pictures)
    for name in cache.files():
        (cache.folder / name).unlink()
    with pytest.raises(TrainingError, match=r"can't be read: No such file .* Run again"):
        decoded.pixels[0][[0]]


def test_a_plan_is_a_little_larger_and_keeps_its_shape():
    branch = replace(BRANCH, preprocess=(Resize(24, 32, fit="pad"), NORMAL))
    to_augment, exact = network_plans(SPEC, branch, 64)
    assert (to_augment.shape, to_augment.dtype) == ((3, 48, 64), np.uint8)
    assert to_augment.steps[0] == Resize(48, 64, fit="pad")
    assert exact == CachedPlan(branch.preprocess)


def test_what_can_t_be_trained_is_refused():
    grey = BranchSpec("handcrafted:lbp", WeightsRef("any", "0" * 64), (Resize(32, 32), Grey()), "model", 54)
    with pytest.raises(SpecError, match="handcrafted:lbp is a descriptor"):
        network_plans(SPEC, grey, 40)
    with pytest.raises(SpecError, match="cache_px is 24, and timm:test_resnet takes 32 px"):
        network_plans(SPEC, BRANCH, 24)
    tiled = replace(SPEC, tiles=TileSpec.from_dict({"across": 2}))
    with pytest.raises(SpecError, match="'small' looks at tiles; a network is trained on whole images"):
        network_plans(tiled, BRANCH, 40)


@pytest.fixture
def recipe() -> Callable[..., NetworkRecipe]:
    plain = read_recipe("advanced-finetune")
    assert isinstance(plain, NetworkRecipe)
    return lambda **changes: replace(plain, **{"cache_px": 40, "batches": Batches(2)} | changes)


def test_a_feed_leaves_the_test_part_out_and_gives_the_same_images_in_whatever_batch(pictures, cache, recipe):
    decoded = cache.decode(pictures)
    feed: Feed = DecodedFeed(decoded, BRANCH, recipe())
    assert (feed.train.tolist(), feed.validation.tolist(), len(feed.items)) == ([0, 1], [2, 3], 4)
    assert [item.group for item in feed.items] == ["g0", "g1", "g2", "g3"]
    (batch,) = feed.batches(0)
    assert sorted(batch.tolist()) == [0, 1]
    whole = feed.images(np.array([0, 1]), 0)
    assert whole.shape == (2, 3, 32, 32)
    assert torch.equal(feed.images(np.array([1]), 0), whole[1:])
    assert not torch.equal(feed.images(np.array([0, 1]), 1), whole)
    exact = feed.validation_images(feed.validation).numpy()
    assert (exact == decoded.pixels[1][[2, 3]]).all()
    assert feed.sha256 == DecodedFeed(decoded, BRANCH, recipe(seed=9)).sha256


def test_a_feed_of_balanced_batches(pictures, cache, recipe):
    feed = DecodedFeed(cache.decode(pictures), BRANCH, recipe(batches=Batches(4, 2)))
    for batch in feed.batches(3):
        assert sorted(batch.tolist()) == [0, 0, 1, 1]


def test_the_validation_pixels_are_what_an_index_embeds(
    tiny_model, tiny_index, mini_mias, tmp_path, monkeypatch
):
    seen: list[bytes] = []
    embed = Extractor.embed

    def watched(extractor, prepared):
        seen.extend(image.tobytes() for image in prepared[0])
        return embed(extractor, prepared)

    monkeypatch.setattr(Extractor, "embed", watched)
    spec = ExtractorSpec.from_dict(json.loads((tiny_model / "spec.json").read_text()))
    paths = sorted((mini_mias / "images").iterdir())[:6]
    update_index(tiny_index, SourceList(tuple(map(str, paths))), IngestOptions(n_workers=1))
    plans = network_plans(spec, spec.branches[0], 72)
    decoded = decode_images(material_of(paths), plans, tmp_path / "cache", read=spec.read)
    assert sorted(image.tobytes() for image in decoded.pixels[1][range(6)]) == sorted(seen)
