"""Networks that name classes; one file a network, and a line here. Torch comes with the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from cbir.training.settings import Choice, Setting

if TYPE_CHECKING:
    from collections.abc import Mapping

NETWORKS: Mapping[str, Mapping[str, Setting]] = {
    "dal-hybrid": {"scales": Choice(("C5", "C4+C5"))},
    "se-densenet": {},
    "hybrid-fusion": {},
}
"""Every network by the name that a recipe calls it, with its settings; the file of that name makes it."""

Learns: TypeAlias = Literal["new", "last", "all"]
"""What learns in a stage of a training. ``new``: what began at random. ``last``: also the backbones' last
stage, and the last block of the stage before it (of a ResNet: layer4 and the last block of layer3)."""
