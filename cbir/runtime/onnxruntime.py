"""Networks in ONNX Runtime: it starts the fastest, so single queries take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import onnxruntime as ort

from cbir.runtime.network import INPUT_NAME, OUTPUT_NAME

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


class OrtNetwork:
    """An exported network on the CPU, in float32.

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
        self._dim = int(self._session.get_outputs()[0].shape[1])

    @property
    def dim(self) -> int:
        """Of the vectors."""
        return self._dim

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network; see :class:`cbir.runtime.network.Network`."""
        return cast("NDArray[np.float32]", self._session.run([OUTPUT_NAME], {INPUT_NAME: batch})[0])
