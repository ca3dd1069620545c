"""Cases as items, so that all that measures items measures cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cbir.errors import ItemsError
from cbir.items.ordinal import label_order
from cbir.types import Item
from indexer.cases.hits import agreed
from indexer.cases.table import CaseTable, case_of

CaseLabel = Literal["agree", "max"]
"""What a case is when its images have several labels: nothing, or the greatest of them."""


@dataclass(frozen=True, slots=True)
class CasePlan:
    """How cases are measured.

    Args:
        column: that tells them apart; None for the default of ``case_column``.
        label: of a case.
    """

    column: str | None = None
    label: CaseLabel = "agree"


@dataclass(frozen=True, slots=True, eq=False)
class StandIns:
    """An item for every case: its id is the case, its group the patient.

    Args:
        table: which items each is of.
        items: by case.
        members: the items of each case, by id.
        notes: what a reader must know; a sentence each.
    """

    table: CaseTable
    items: Mapping[str, Item]
    members: Mapping[str, Sequence[Item]]
    notes: tuple[str, ...]


def stand_ins(items: Sequence[Item], column: str, rule: CaseLabel, where: str) -> StandIns:
    """Make an item of every case.

    The label is that of its labelled items when they agree. When they don't, the case has none under
    ``agree``: it can neither ask nor be found; under ``max`` it has the greatest.

    Args:
        items: with labels and groups.
        column: that tells cases apart.
        rule: for cases of several labels.
        where: the items come from, for errors.

    Raises:
        ItemsError: a case with several groups; no case whose labels agree; or ``max`` of labels that have
            no order.
    """
    found: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        if (case := case_of(item, column)) is not None:
            found[case].append(item)
    order = label_order(item.label for item in items if item.label is not None) if rule == "max" else None
    if rule == "max" and order is None:
        raise ItemsError(
            f"{where} has labels that are no whole numbers, so none of several is the greatest. Name an "
            "ordinal column with --label, or leave out --case-label max."
        )
    table = CaseTable.of(items, column)
    members = {case: sorted(found[case], key=lambda item: item.id) for case in table.items}
    made = {case: _stand_in(case, of_case, order, column) for case, of_case in members.items()}
    n_several = sum(len({item.label for item in each} - {None}) > 1 for each in members.values())
    if n_several and all(item.label is None for item in made.values()):
        raise ItemsError(
            f"None of the {len(made)} cases of {where} (by {column}) has a label: the images of {n_several} "
            "have several each. Name another column with --case, or take the greatest of ordinal labels: "
            "--case-label max."
        )
    return StandIns(table, made, members, (*table.notes(), *_said_of(n_several, len(made), rule)))


def _stand_in(case: str, members: Sequence[Item], order: Sequence[str] | None, column: str) -> Item:
    groups = sorted({item.group for item in members if item.group is not None})
    if len(groups) > 1:
        raise ItemsError(
            f"The case {case!r} (by {column}) has images of {len(groups)} groups: {groups[0]}, {groups[1]}"
            f"{', …' if len(groups) > 2 else ''}. An examination is of one patient: correct the items, or "  # noqa: PLR2004
            "name another column with --case."
        )
    labels = {item.label for item in members if item.label is not None}
    label = agreed(labels) if order is None else max(labels, key=order.index, default=None)
    return Item(case, case, label=label, group=groups[0] if groups else None)


def _said_of(n_several: int, n_cases: int, rule: CaseLabel) -> tuple[str, ...]:
    if not n_several:
        return ()
    what = "the greatest was taken" if rule == "max" else "they count as cases without one"
    return (f"{n_several} of {n_cases} cases have images of several labels: {what}",)
