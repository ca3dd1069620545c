"""Networks in ONNX Runtime: it starts the fastest, so single queries take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import onnxruntime as ort

from cbir.runtime.network import FEATURES_NAME, INPUT_NAME, OUTPUT_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


class OrtModel:
    """An exported model on the CPU, in float32, with inputs and outputs by name; safe to call from threads.

    Args:
        path: of the ``.onnx`` file.
        n_threads: inside one operator; None takes one a physical core.
    """

    def __init__(self, path: Path, *, n_threads: int | None = None) -> None:
        options = ort.SessionOptions()
        options.log_severity_level = 3
        if n_threads is not None:
            options.intra_op_num_threads = n_threads
        self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    @property
    def outputs(self) -> list[str]:
        """Their names."""
        return [output.name for output in self._session.get_outputs()]

    @property
    def widths(self) -> dict[str, int]:
        """By an output's name, its second dimension, where that is known before the model has run."""
        shapes = {output.name: output.shape for output in self._session.get_outputs()}
        return {name: shape[1] for name, shape in shapes.items() if isinstance(shape[1], int)}

    def __call__(
        self, inputs: Mapping[str, NDArray[np.float32]], outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        """Run the model, and give the outputs in the order of their names."""
        return cast("list[NDArray[np.float32]]", self._session.run(list(outputs), dict(inputs)))


class OrtNetwork:
    """An exported network on the CPU, in float32.

    Args:
        path: of the ``.onnx`` file.
        n_threads: inside one operator; None takes one a physical core.
    """

    def __init__(self, path: Path, *, n_threads: int | None = None) -> None:
        self._model = OrtModel(path, n_threads=n_threads)
        self._dim = next(iter(self._model.widths.values()))

    @property
    def dim(self) -> int:
        """Of the vectors."""
        return self._dim

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network; see :class:`cbir.runtime.network.Network`."""
        return self._model({INPUT_NAME: batch}, [OUTPUT_NAME])[0]

    @property
    def has_features(self) -> bool:
        """Whether it also gives the map behind its vectors."""
        return FEATURES_NAME in self._model.outputs

    def with_features(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give the vectors as a call does, and their maps, (B, D, H, W); only where it ``has_features``."""
        vectors, features = self._model({INPUT_NAME: batch}, [OUTPUT_NAME, FEATURES_NAME])
        return vectors, features
