"""Whatever a decoder does, the pool answers, in time, and leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from cbir.errors import CbirError, ImageError, SkipReason
from cbir.images.image import Image, ImageInfo
from cbir.images.pool import DecodePool
from cbir.images.prepare import prepare
from cbir.images.settings import DecodeLimits, ReadSpec
from cbir.images.steps import Normalise, Resize

STEPS = (Resize(8, 6), Normalise((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)))
LIMITS = DecodeLimits(timeout_s=20.0, memory_mb=256)

MISBEHAVING_WORKER = """
import ctypes, os, signal, sys, time
import numpy as np
from cbir.errors import ImageError, SkipReason
from cbir.images import worker
from cbir.images.image import Image, ImageInfo

class PanicException(BaseException):
    pass

def image(frame=0, value=7):
    info = ImageInfo(format="png", width=4, height=3, bits=8, n_frames=2, side="L", pixel_spacing_mm=0.1)
    return Image(np.full((3, 4), value, np.uint8), 255.0, frame, info, ("a note",))

def read_images(data, spec, policy, limits, *, hash_key):
    verb, _, argument = data.decode().partition(" ")
    if verb == "hang":
        time.sleep(600)
    elif verb == "spin":
        ctypes.PyDLL(None).sleep(600)  # holds the interpreter, as a C decoder can
    elif verb == "abort":
        os.abort()
    elif verb == "segfault":
        ctypes.string_at(0)
    elif verb == "exit":
        os._exit(3)
    elif verb == "allocate":
        np.ones(int(argument) * 1024 * 1024, np.uint8)
    elif verb == "panic":
        raise PanicException("the text of the file")
    elif verb == "sysexit":
        sys.exit(0)
    elif verb == "refuse":
        raise ImageError(SkipReason.NO_PIXELS, "a plan")
    elif verb == "babble":
        os.write(int(sys.argv[3]), b"\\0" * 7 + b"\\5" + b"hello" * 100)
    elif verb == "announce":
        os.write(int(sys.argv[3]), b"\\x7f" + b"\\xff" * 7)
    elif verb == "nothing":
        return []
    elif verb == "pid":
        return [image(frame=os.getpid())]
    elif verb == "nap":
        time.sleep(0.2)
    elif verb == "key":
        return [image(value=hash_key[0])]
    return [image(0), image(1, 9)]

worker.read_images = read_images
main = worker.main
"""


@pytest.fixture
def make_pool(tmp_path, monkeypatch):
    (tmp_path / "misbehaving_worker.py").write_text(MISBEHAVING_WORKER)
    monkeypatch.syspath_prepend(str(tmp_path))
    pools = []

    def make(limits=LIMITS, n_workers=1, **settings):
        settings = {"_worker_module": "misbehaving_worker", **settings}
        pools.append(DecodePool(ReadSpec(), [STEPS, STEPS], limits=limits, n_workers=n_workers, **settings))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def worker_pid(pool: DecodePool) -> int:
    return pool.decode(b"pid")[0].frame


def test_decode_gives_what_prepare_gives(make_pool):
    first, second = make_pool().decode(b"fine")
    info = ImageInfo(format="png", width=4, height=3, bits=8, n_frames=2, side="L", pixel_spacing_mm=0.1)
    image = Image(np.full((3, 4), 9, np.uint8), 255.0, 1, info)
    assert (first.frame, second.frame) == (0, 1)
    assert second.info == info
    assert second.notes == ("a note",)
    assert len(second.prepared) == 2
    for prepared in second.prepared:
        assert prepared.dtype == np.float32
        np.testing.assert_array_equal(prepared, prepare(image, STEPS)[np.newaxis])
    assert first.pixels_sha256 != second.pixels_sha256
    assert len(first.pixels_sha256) == 64
    thumbnail = cv2.imdecode(np.frombuffer(second.thumbnail, np.uint8), cv2.IMREAD_UNCHANGED)
    assert thumbnail.shape == (3, 4)
    assert abs(int(thumbnail.mean()) - 9) <= 1


def test_the_hash_key_reaches_the_reader(make_pool):
    frame = make_pool(hash_key=b"\x2a").decode(b"key")[0]
    thumbnail = cv2.imdecode(np.frombuffer(frame.thumbnail, np.uint8), cv2.IMREAD_UNCHANGED)
    assert abs(int(thumbnail.mean()) - 0x2A) <= 1


@pytest.mark.parametrize(
    ("verb", "detail"),
    [
        (b"abort", "killed by SIGABRT"),
        (b"segfault", "killed by SIGSEGV"),
        (b"exit", "exit status 3"),
        (b"babble", "the worker answered nonsense"),
        (b"announce", "the worker answered nonsense"),
        (b"nothing", "the worker answered nonsense"),
    ],
)
def test_a_crashed_decoder_is_reported_and_the_next_file_is_decoded(make_pool, verb, detail):
    pool = make_pool()
    with pytest.raises(ImageError) as caught:
        pool.decode(verb)
    assert caught.value.reason is SkipReason.DECODER_CRASHED
    assert caught.value.detail == detail
    assert len(pool.decode(b"fine")) == 2


@pytest.mark.parametrize("verb", [b"hang", b"spin"])
def test_a_stuck_decoder_is_killed_at_the_limit(make_pool, verb):
    pool = make_pool(DecodeLimits(timeout_s=0.5, memory_mb=256))
    pid = worker_pid(pool)
    began = time.monotonic()
    with pytest.raises(ImageError) as caught:
        pool.decode(verb)
    assert 0.5 <= time.monotonic() - began < 5.0
    assert caught.value.reason is SkipReason.DECODER_TIMEOUT
    assert "timeout_s = 0.5" in caught.value.detail
    assert not psutil.pid_exists(pid)
    assert worker_pid(pool) != pid


def test_a_decoder_that_allocates_too_much_is_stopped_and_one_within_the_limit_is_not(make_pool):
    pool = make_pool()
    assert len(pool.decode(b"allocate 128")) == 2
    with pytest.raises(ImageError) as caught:
        pool.decode(b"allocate 400")
    assert caught.value.reason is SkipReason.TOO_LARGE
    assert "memory_mb = 256" in caught.value.detail
    assert len(pool.decode(b"allocate 128")) == 2


@pytest.mark.parametrize(("verb", "name"), [(b"panic", "PanicException"), (b"sysexit", "SystemExit")])
def test_an_exception_that_is_no_exception_is_malformed_and_says_nothing_of_the_file(make_pool, verb, name):
    with pytest.raises(ImageError) as caught:
        make_pool().decode(verb)
    assert caught.value.reason is SkipReason.MALFORMED
    assert caught.value.detail == f"the decoder raised {name}"


def test_a_refused_file_keeps_its_worker(make_pool):
    pool = make_pool()
    pid = worker_pid(pool)
    with pytest.raises(ImageError) as caught:
        pool.decode(b"refuse")
    assert (caught.value.reason, caught.value.detail) == (SkipReason.NO_PIXELS, "a plan")
    assert worker_pid(pool) == pid


def test_a_worker_that_somebody_else_kills_between_two_files_is_no_fault_of_the_next(make_pool):
    pool = make_pool()
    pid = worker_pid(pool)
    os.kill(pid, signal.SIGKILL)
    while psutil.Process(pid).status() != "zombie":
        time.sleep(0.01)
    assert len(pool.decode(b"fine")) == 2


def test_a_worn_worker_is_replaced(make_pool, monkeypatch):
    monkeypatch.setattr("cbir.images.worker_process._MAX_FILES", 2)
    pool = make_pool()
    pids = [worker_pid(pool) for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_a_file_over_the_limit_never_reaches_a_worker(make_pool):
    pool = make_pool(DecodeLimits(max_file_mb=1))
    with pytest.raises(ImageError, match="max_file_mb = 1") as caught:
        pool.decode(bytes(1024 * 1024 + 1))
    assert caught.value.reason is SkipReason.TOO_LARGE
    assert children() == []


def test_many_threads_share_the_workers_and_one_crash_hurts_one_file(make_pool):
    pool = make_pool(n_workers=2)
    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(pool.decode, b"abort" if i == 10 else b"fine") for i in range(40)]
    outcomes = [call.exception() for call in calls]
    assert isinstance(outcomes[10], ImageError)
    assert [error for i, error in enumerate(outcomes) if i != 10] == [None] * 39
    assert len(children()) <= 2


def test_workers_outlive_the_thread_that_first_asked_for_them(make_pool):
    pool = make_pool()
    pids = []
    for _ in range(2):
        thread = threading.Thread(target=lambda: pids.append(worker_pid(pool)))
        thread.start()
        thread.join()
    assert pids[0] == pids[1]


def test_start_starts_all_workers_at_once(make_pool):
    pool = make_pool(n_workers=2)
    began = time.monotonic()
    pool.start()
    assert time.monotonic() - began < 0.2
    while len(children()) < 2:
        assert time.monotonic() - began < 10
        time.sleep(0.01)


def test_close_leaves_no_process_and_ends_calls_under_way(make_pool):
    pool = make_pool(n_workers=2)
    pid = worker_pid(pool)
    with ThreadPoolExecutor(3) as threads:
        calls = [threads.submit(pool.decode, b"hang") for _ in range(3)]
        time.sleep(1.0)
        pool.close()
        for call in calls:
            with pytest.raises(RuntimeError, match="closed"):
                call.result()
    pool.close()
    assert not psutil.pid_exists(pid)
    assert children() == []
    with pytest.raises(RuntimeError, match="closed"):
        pool.decode(b"fine")


def test_workers_that_cannot_start_give_one_clear_error(make_pool):
    pool = make_pool(_worker_module="there_is_no_such_module")
    for _ in range(2):
        with pytest.raises(CbirError, match=r"workers can't start \(exit status 1\)"):
            pool.decode(b"fine")
    assert children() == []


def test_a_python_that_cannot_be_run_gives_one_clear_error(make_pool, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    pool = make_pool()
    for _ in range(2):
        with pytest.raises(CbirError, match="can't start: No such file or directory"):
            pool.decode(b"fine")


def test_an_interrupted_call_frees_its_worker(make_pool, monkeypatch):
    pool = make_pool()
    pid = worker_pid(pool)

    def interrupt(*_arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("cbir.images.channel.Channel.receive_json", interrupt)
        with pytest.raises(KeyboardInterrupt):
            pool.decode(b"hang")
    assert not psutil.pid_exists(pid)
    assert len(pool.decode(b"fine")) == 2


def test_no_pool_without_workers():
    with pytest.raises(ValueError, match="n_workers is 0"):
        DecodePool(ReadSpec(), [STEPS], n_workers=0)


PARENT = """
    import sys, threading
    from cbir.images.pool import DecodePool
    from cbir.images.settings import DecodeLimits, ReadSpec
    pool = DecodePool(ReadSpec(), [], n_workers=2, limits=DecodeLimits(), _worker_module="misbehaving_worker")
    print(pool.decode(b"pid")[0].frame, flush=True)
    idle = threading.Thread(target=pool.decode, args=(b"hang",), daemon=True)
    idle.start()
    print(pool.decode(b"pid")[0].frame, flush=True)
    pool.decode(b"spin")
"""


@pytest.fixture
def parent(make_pool, tmp_path):
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": path},
        process_group=0,
    )
    with process:
        yield process
        process.kill()


def read_pids(parent: subprocess.Popen[bytes]) -> list[int]:
    assert parent.stdout is not None
    return [int(parent.stdout.readline()) for _ in range(2)]


def wait_until_gone(pids: list[int]) -> None:
    limit = time.monotonic() + 10
    while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids):
        assert time.monotonic() < limit, "a worker outlived its parent"
        time.sleep(0.05)


def test_busy_workers_die_with_a_parent_that_is_killed(parent):
    pids = read_pids(parent)
    parent.kill()
    parent.wait()
    wait_until_gone(pids)


def test_ctrl_c_ends_the_parent_and_its_workers(parent):
    pids = read_pids(parent)
    time.sleep(0.3)
    os.killpg(parent.pid, signal.SIGINT)
    parent.wait(timeout=20)
    wait_until_gone(pids)
