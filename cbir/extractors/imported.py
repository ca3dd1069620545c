"""The spec of embeddings that someone else computed."""

from __future__ import annotations

import hashlib

from cbir.errors import SpecError
from cbir.extractors.spec import BranchSpec, ExtractorSpec, WeightsRef
from cbir.images.settings import ReadSpec


def imported_spec(name: str, dim: int, *, sha256: str | None = None) -> ExtractorSpec:
    """Give what is known of such embeddings: a name, their size, perhaps the network's checksum.

    Embeddings imported under one name, dim and sha256 have one fingerprint: they are taken to be comparable.

    Args:
        name: of the network or method that made them.
        dim: of each.
        sha256: of the network's weights file, 64 lower-case hex digits; None takes that of the name's UTF-8.

    Raises:
        SpecError: an empty name, a dim below 1, or no sha256.
    """
    if not name.strip():
        raise SpecError(f"The name is {name!r}; say what made the embeddings, as biomedclip.")
    weights = WeightsRef(name, sha256 or hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest())
    branch = BranchSpec(f"imported:{name}", weights, (), "model", dim)
    return ExtractorSpec(name, ReadSpec(), (branch,))
