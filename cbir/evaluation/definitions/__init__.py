"""What other codes compute under the names we use too, so that a published number can be matched.

Our own definitions are those of ``cbir.evaluation.measures``; nothing here replaces them.
"""

from collections.abc import Mapping

from cbir.evaluation.definitions.definition import DefinedMeasure, DefinedRow, Definition, by_definition
from cbir.evaluation.definitions.dkfz import DKFZ
from cbir.evaluation.definitions.mahbod import MAHBOD
from cbir.evaluation.definitions.oml import OML
from cbir.evaluation.definitions.tfsim import TFSIM

__all__ = ["DEFINITIONS", "DefinedMeasure", "DefinedRow", "Definition", "by_definition"]

DEFINITIONS: Mapping[str, Definition] = {
    "oml": OML,
    "tfsim": TFSIM,
    "dkfz": DKFZ,
    "mahbod": MAHBOD,
}
"""By the name that a user gives."""
