"""The folder of a classifier: what its files are called, and its spec."""

from __future__ import annotations

import json
from pathlib import Path

from cbir.errors import SpecError
from cbir.extractors.entries import mapping
from classifiers.spec import ClassifierSpec

SPEC_FILE = "classifier.json"
"""The spec; written last, it makes a folder a classifier."""

NETWORK_FILE = "network.onnx"
"""The exported network, which answers."""

WEIGHTS_FILE = "weights.safetensors"
"""The weights by torch's names, for a training that goes on from them, and for gradients."""


def read_spec(folder: Path) -> ClassifierSpec:
    """Read the spec in a classifier's folder.

    Raises:
        SpecError: there is none, or it makes no sense.
    """
    path = folder / SPEC_FILE
    try:
        return ClassifierSpec.from_dict(mapping("classifier", json.loads(path.read_text(encoding="utf-8"))))
    except FileNotFoundError as error:
        raise SpecError(
            f"{folder} is no classifier: it has no {SPEC_FILE}. Name the folder of a run of cbir classify "
            "train that came to its end."
        ) from error
    except (OSError, ValueError) as error:
        raise SpecError(f"Classifier {path} can't be read: {error}.") from error
    except SpecError as error:
        raise SpecError(f"Classifier {path}: {error}") from error
