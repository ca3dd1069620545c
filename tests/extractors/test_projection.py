"""Fitted maps of embeddings: those of older versions, and those of several layers."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from cbir.errors import WeightsError
from cbir.extractors.projection import Layer, Projection, write_projection

OLD = Path(__file__).parents[1] / "golden" / "projection.safetensors"
"""Written by cbir 0.1.0 before there were layers, of the mean k/8 and the matrix k/16 − 1/4."""


def layered(sizes: tuple[int, ...] = (6, 5, 4, 3)) -> Projection:
    rng = np.random.default_rng(0)
    layers = [
        Layer.of(rng.standard_normal((n_in, n_out)), rng.standard_normal(n_out))
        for n_in, n_out in itertools.pairwise(sizes)
    ]
    return Projection.through(rng.standard_normal(sizes[0]), layers)


def test_a_projection_of_an_older_version_has_its_fingerprint_and_its_numbers():
    old = Projection.read(OLD)
    assert old.sha256 == "c591863396dad7edd6acde56e405b46af6e29e3bb297ab0df95b20e415b1ffb2"
    rows = np.array([[1, 0, 2, -1], [0.5, 0.25, -4, 8]], np.float32)
    assert old.apply(rows).tolist() == [[-0.453125, -0.375, -0.296875], [1.71875, 1.96875, 2.21875]]


def test_a_linear_map_is_written_as_ever(tmp_path):
    write_projection(tmp_path / "p.safetensors", Projection.read(OLD))
    assert (tmp_path / "p.safetensors").read_bytes() == OLD.read_bytes()


def test_layers_come_back_from_their_file(tmp_path):
    projection = layered()
    write_projection(tmp_path / "p.safetensors", projection)
    again = Projection.read(tmp_path / "p.safetensors")
    assert (again.sha256, again.n_in, again.dim) == (projection.sha256, 6, 3)
    rows = np.random.default_rng(1).standard_normal((7, 6)).astype(np.float32)
    assert np.array_equal(again.apply(rows), projection.apply(rows))


def test_layers_do_what_torch_does_with_relu_between():
    projection = layered()
    rows = np.random.default_rng(1).standard_normal((7, 6)).astype(np.float32)
    expected = torch.from_numpy(rows - projection.mean)
    for number, layer in enumerate(projection.layers):
        expected = torch.relu(expected) if number else expected
        expected = torch.nn.functional.linear(
            expected, torch.from_numpy(layer.matrix).T, torch.from_numpy(layer.bias)
        )
    np.testing.assert_allclose(projection.apply(rows), expected.numpy(), atol=1e-5)


def test_every_number_is_in_the_name():
    names = {layered().sha256, layered((6, 5, 3)).sha256}
    for number in range(3):
        for kind in ("matrix", "bias"):
            layers = [Layer(layer.matrix.copy(), layer.bias.copy()) for layer in layered().layers]
            getattr(layers[number], kind).flat[0] += 1
            names.add(Projection.through(layered().mean, layers).sha256)
    assert len(names) == 8


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"1.matrix": np.zeros((4, 4))}, "takes"),
        ({"1.bias": np.zeros(9)}, "takes"),
        ({"2.matrix": np.zeros(3)}, "takes"),
        ({"0.bias": np.full(5, np.nan)}, "finite"),
        ({"0.matrix": None}, "can't be read"),
        ({"2.bias": None}, "can't be read"),
        ({"mean": None}, "can't be read"),
        ({"matrix": np.float32(3)}, "takes"),
        ({"3.matrix": np.zeros((3, 3))}, "can't be read"),
    ],
)
def test_layers_that_do_not_fit_together_are_refused(tmp_path, change, named):
    arrays = {**layered().arrays(), **change}
    there = {name: np.asarray(array, np.float32) for name, array in arrays.items() if array is not None}
    save_file(there, tmp_path / "p.safetensors")
    with pytest.raises(WeightsError, match=named):
        Projection.read(tmp_path / "p.safetensors")
