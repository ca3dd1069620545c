"""Networks in OpenVINO: the fastest on a CPU for many images, without importing torch."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

# Importing OpenVINO reports to Google Analytics, unless its package for that is not there: then it is not.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # what Python takes for "not there"

import openvino as ov  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Precision: TypeAlias = Literal["default", "f32"]


class OpenVinoNetwork:
    """An exported network on the CPU, each image a request of its own.

    Several requests run side by side, which keeps the cores as busy as large batches do, and makes an image's
    vector independent of the images beside it.

    Args:
        path: of the ``.onnx`` file.
        n_threads: of the whole network; None takes every core.
        precision: ``default`` computes in bf16 where the CPU has it natively; ``f32`` never does.
    """

    def __init__(self, path: Path, *, n_threads: int | None = None, precision: Precision = "default") -> None:
        core = ov.Core()
        model = core.read_model(path)
        for result in model.get_results()[1:]:  # a map for explanations would be copied out with every image
            model.remove_result(result)
        _, channels, height, width = model.input(0).partial_shape
        model.reshape([1, channels.get_length(), height.get_length(), width.get_length()])
        settings: dict[str, str | int] = {"PERFORMANCE_HINT": "THROUGHPUT"}
        if n_threads is not None:
            settings["INFERENCE_NUM_THREADS"] = n_threads
        if precision == "f32":
            settings["INFERENCE_PRECISION_HINT"] = "f32"
        compiled = core.compile_model(model, "CPU", settings)
        self._dim = int(compiled.output(0).shape[1])
        self._queue = ov.AsyncInferQueue(compiled)
        self._queue.set_callback(_keep)
        self._lock = threading.Lock()

    @property
    def dim(self) -> int:
        """Of the vectors."""
        return self._dim

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network; see :class:`cbir.runtime.network.Network`."""
        batch = np.ascontiguousarray(batch)
        vectors = np.empty((len(batch), self._dim), dtype=np.float32)
        with self._lock:
            for row in range(len(batch)):
                image = ov.Tensor(batch[row : row + 1], shared_memory=True)
                self._queue.start_async({0: image}, vectors[row])
            self._queue.wait_all()
        return vectors


def cpu_precision() -> str:
    """What ``default`` computes in on this CPU: ``bf16`` or ``f32``."""
    return str(ov.Core().get_property("CPU", "INFERENCE_PRECISION_HINT").get_type_name())


def _keep(request: ov.InferRequest, vector: NDArray[np.float32]) -> None:
    vector[:] = request.get_output_tensor(0).data[0]
