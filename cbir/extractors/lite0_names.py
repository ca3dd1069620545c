"""The parameter names of the EfficientNet-Lite0 file on PyPI, as timm calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

_BLOCKS_A_STAGE = (1, 2, 2, 3, 3, 4, 1)
_PLACES = [f"{stage}.{block}" for stage, n_blocks in enumerate(_BLOCKS_A_STAGE) for block in range(n_blocks)]
_OUTSIDE = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_FIRST_BLOCK = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_OTHER_BLOCKS = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


def fits(names: Container[str]) -> bool:
    """Whether these are that file's names."""
    return "_conv_stem.weight" in names and "_blocks.15._project_conv.weight" in names


def timm_name(name: str) -> str:
    """Translate one name; an unknown one comes back as it is, for the loader to name."""
    if not name.startswith("_blocks."):
        module, _, parameter = name.partition(".")
        return f"{_OUTSIDE.get(module, module)}.{parameter}"
    _, block, module, parameter = name.split(".", 3)
    place = int(block)
    renamed = (_OTHER_BLOCKS if place else _FIRST_BLOCK).get(module)
    if renamed is None or place >= len(_PLACES):
        return name
    return f"blocks.{_PLACES[place]}.{renamed}.{parameter}"
