"""Refinements as text: ``expand:k=5,alpha=3``."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, get_type_hints

from cbir.errors import SpecError
from cbir.nearest import nearest
from indexer.refine.refined import REFINEMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from indexer.refine.refinement import Refinement

_BETWEEN_VALUES = "/"


def parse_refinements(texts: Sequence[str]) -> tuple[Refinement, ...]:
    """Read refinements, ``NAME`` or ``NAME:FIELD=VALUE,FIELD=VALUE``; a field left out has its default.

    Returns:
        In the order in which they work, whatever the texts' order.

    Raises:
        SpecError: an unknown name or field, a name twice, or a value out of range or of another kind.
    """
    return tuple(
        REFINEMENTS[name](**{field: _number(name, field, value) for field, value in given.items()})
        for name, given in _read(texts)
    )


def parse_grid(texts: Sequence[str]) -> list[list[Refinement]]:
    """Read what to try: as ``parse_refinements``, with several values a field, ``k=1/5/10``.

    A field left out has the values of the refinement's own grid, else its default.

    Returns:
        For each refinement, in the order in which they work, all its settings.

    Raises:
        SpecError: as there.
    """
    tried = []
    for name, given in _read(texts):
        values: dict[str, Sequence[float]] = dict(REFINEMENTS[name].grid)
        for field, text in given.items():
            values[field] = [_number(name, field, each) for each in text.split(_BETWEEN_VALUES)]
        tried.append(
            [REFINEMENTS[name](**dict(zip(values, each, strict=True))) for each in product(*values.values())]
        )
    return tried


def wording(refinement: Refinement) -> str:
    """What ``parse_refinements`` reads as this one, every field said."""
    name = next(name for name, kind in REFINEMENTS.items() if kind is type(refinement))
    said = [f"{field.strip('_')}={getattr(refinement, field)!r}".removesuffix(".0") for field in _kinds(name)]
    return f"{name}:{','.join(said)}"


def _read(texts: Sequence[str]) -> list[tuple[str, Mapping[str, str]]]:
    """The name of each refinement, in the order in which they work, and the values given by field."""
    found: dict[str, Mapping[str, str]] = {}
    for text in texts:
        name, _, rest = text.partition(":")
        if name not in REFINEMENTS:
            raise SpecError(f"There is no refinement {name!r}; {nearest(name, REFINEMENTS)}")
        if name in found:
            raise SpecError(f"{name} is asked for twice; a refinement works once.")
        known = {field.strip("_"): field for field in _kinds(name)}
        given = {}
        for setting in rest.split(",") if rest else []:
            word, _, value = setting.partition("=")
            if word not in known:
                raise SpecError(f"{name} has no setting {word!r}; {nearest(word, known)}")
            given[known[word]] = value
        found[name] = given
    return [(name, found[name]) for name in REFINEMENTS if name in found]


def _number(name: str, field: str, text: str) -> float:
    kind = _kinds(name)[field]
    try:
        return kind(text)
    except ValueError:
        wanted = "a whole number" if kind is int else "a number"
        raise SpecError(f"{name}: {field.strip('_')} is {text!r}; it takes {wanted}.") from None


def _kinds(name: str) -> Mapping[str, type[float]]:
    """The fields of a refinement, by name: int or float."""
    return {field: kind for field, kind in get_type_hints(REFINEMENTS[name]).items() if kind in (int, float)}
