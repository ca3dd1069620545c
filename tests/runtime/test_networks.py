"""Every runtime answers like the reference, for every batch."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from cbir.runtime.onnxruntime import OrtNetwork
from cbir.runtime.openvino import OpenVinoNetwork
from cbir.runtime.pytorch import TorchNetwork

RUNTIMES = {
    "torch": lambda _path, module: TorchNetwork(module, 96),
    "torch in parts": lambda _path, module: TorchNetwork(module, 96, batch_size=2),
    "onnxruntime": lambda path, _module: OrtNetwork(path, n_threads=1),
    "openvino": lambda path, _module: OpenVinoNetwork(path, n_threads=2, precision="f32"),
}


@pytest.fixture(scope="module")
def module(tiny_model):
    from cbir.extractors.build import load_extractor

    return load_extractor(tiny_model / "tiny.toml").networks[0].module


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).random((7, 3, 64, 64), dtype=np.float32)


@pytest.fixture(scope="module")
def expected(module, pixels):
    import torch

    with torch.inference_mode():
        return np.concatenate([module(torch.from_numpy(image[None])).numpy() for image in pixels])


@pytest.fixture(scope="module", params=list(RUNTIMES))
def network(request, tiny_model, module):
    return RUNTIMES[request.param](tiny_model / "model" / "branch0.onnx", module)


@pytest.mark.parametrize("n_images", [1, 2, 7])
def test_vectors_are_the_references_in_the_batchs_order(network, pixels, expected, n_images):
    vectors = network(pixels[:n_images])
    assert vectors.shape == (n_images, network.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, expected[:n_images], rtol=1e-3, atol=1e-5)


def test_a_batch_that_is_not_contiguous_gives_the_same(network, pixels, expected):
    np.testing.assert_allclose(network(pixels[::2]), expected[::2], rtol=1e-3, atol=1e-5)


def test_an_answer_stays_when_the_next_comes(network, pixels):
    first = network(pixels[:2])
    kept = first.copy()
    network(pixels[2:4])
    np.testing.assert_array_equal(first, kept)


def test_the_batch_is_left_as_it_is(network, pixels):
    before = pixels.copy()
    network(pixels)
    np.testing.assert_array_equal(pixels, before)


def test_threads_may_share_a_network(network, pixels, expected):
    answers: dict[int, np.ndarray] = {}

    def embed(turn: int) -> None:
        answers[turn] = network(pixels[turn:])

    threads = [threading.Thread(target=embed, args=(turn,)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for turn in range(4):
        np.testing.assert_allclose(answers[turn], expected[turn:], rtol=1e-3, atol=1e-5)


def test_openvino_gives_an_image_the_same_bits_in_any_company(tiny_model, pixels):
    network = OpenVinoNetwork(tiny_model / "model" / "branch0.onnx")
    np.testing.assert_array_equal(network(pixels)[3], network(pixels[3:4])[0])


def test_importing_the_package_imports_no_runtime():
    import subprocess
    import sys

    program = (
        "import sys, cbir.runtime; print({'torch', 'openvino', 'onnxruntime'} & set(sys.modules) or 'none')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "none"
