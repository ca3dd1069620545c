"""A backbone's name with the arguments that its author gave it, as one text that a spec can hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self, TypeAlias, cast

from cbir.errors import SpecError
from cbir.images.steps import JSON

Arguments: TypeAlias = Mapping[str, JSON]

_RESERVED = frozenset(
    {
        *("pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "checkpoint_path", "cache_dir"),
        *("num_classes", "in_chans", "features_only", "scriptable", "exportable", "no_jit"),
    }
)
"""Arguments that load other files, or make another kind of network."""
_PREFIX, _HEAD = "weights_prefix", "head"


@dataclass(frozen=True, slots=True)
class BackboneName:
    """``timm:MODEL``, or ``timm:MODEL {"argument": value, …}``.

    Args:
        model: as timm names it.
        args: of timm's ``create_model``: plain JSON values.
        weights_prefix: where the network is part of a larger one's file, how its tensors' names begin there;
            written among the arguments. It decides the numbers: a file may hold a teacher and a student.
        head: of ``HEADS``, trained on top of the network; written among the arguments. Its file then holds
            ``backbone.*`` and ``head.*``. Empty for none.

    Raises:
        SpecError: not of this form, or an argument that is not for users.
    """

    model: str
    args: Arguments = field(default_factory=dict)
    weights_prefix: str = ""
    head: str = ""

    def __post_init__(self) -> None:
        if not self.model or " " in self.model:
            raise SpecError(f"Backbone model {self.model!r} is none; write timm:MODEL, as timm:densenet121.")
        if refused := sorted(_RESERVED & set(self.args)):
            raise SpecError(f"Backbone timm:{self.model}: argument {refused[0]!r} can't be given; drop it.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``str`` writes.

        Raises:
            SpecError: not of this form.
        """
        kind, _, rest = text.partition(":")
        model, brace, args = rest.partition("{")
        problem = f'Backbone {text!r} is unknown; write timm:MODEL or timm:MODEL {{"argument": value}}.'
        if kind != "timm":
            raise SpecError(problem)
        try:
            parsed: object = json.loads(brace + args) if brace else {}
        except ValueError as error:
            raise SpecError(problem) from error
        if not isinstance(parsed, dict):
            raise SpecError(problem)
        texts = {key: parsed.pop(key, "") for key in (_PREFIX, _HEAD)}
        for key, value in texts.items():
            if not isinstance(value, str):
                raise SpecError(f"Backbone {text!r}: {key} is {value!r}; it must be text.")
        return cls(model.rstrip(), cast("dict[str, JSON]", parsed), texts[_PREFIX], texts[_HEAD])

    def __str__(self) -> str:
        texts = {_PREFIX: self.weights_prefix, _HEAD: self.head}
        said = dict(self.args) | {key: value for key, value in texts.items() if value}
        if not said:
            return f"timm:{self.model}"
        return f"timm:{self.model} {json.dumps(said, sort_keys=True, allow_nan=False)}"
