"""How a preset names a model that says itself what it is."""

from __future__ import annotations

from cbir.errors import SpecError
from cbir.extractors.weights.location import HubLocation

_CONFIG = "config.json"


def names_own_model(backbone: str) -> bool:
    """Whether a preset's ``backbone`` is ``hf-hub:OWNER/REPO@REVISION`` or ``dir:PATH``."""
    return backbone.startswith(("hf-hub:", "dir:"))


def own_sources(backbone: str) -> tuple[str, str]:
    """Where the config and the weights of such a backbone are, as a preset would write it.

    Raises:
        SpecError: it names no own model.
        WeightsError: no OWNER/REPO.
    """
    kind, _, where = backbone.partition(":")
    if kind == "dir" and where:
        return f"file:{where}/{_CONFIG}", f"file:{where}/model.safetensors"
    if kind != "hf-hub":
        raise SpecError(
            f"Backbone {backbone!r} names no own model; write hf-hub:OWNER/REPO@REVISION or dir:PATH."
        )
    location = HubLocation.parse(where)
    config = HubLocation(location.repo, _CONFIG, location.revision)
    return f"hub:{config}", f"hub:{location}"
