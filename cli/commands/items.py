"""`cbir items split` and `cbir items audit`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cbir.errors import ItemsError
from cli import options as opt
from cli.exit_codes import ExitCode, UsageProblem
from cli.settings import load_settings
from cli.terminal import note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbir.items.found import Found

ItemsFile = Annotated[
    str, typer.Argument(metavar="ITEMS", help="An items file: CSV or Parquet with a column path.")
]
Column = Annotated[str, typer.Option("--column", help="The column that says the split.")]


def split(
    items: ItemsFile,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The CSV file to write.")],
    shares: Annotated[
        str, typer.Option(help="Of the groups, for train, val and test; two are train and test.")
    ] = "50,20,30",
    seed: Annotated[int, typer.Option(help="Another one, another split.")] = 0,
    label: Annotated[
        str | None,
        typer.Option("--label", help="The column of the grade to stratify on (default: grade, else label)."),
    ] = None,
    group: opt.GroupColumn = None,
    column: Column = "split",
    leave_one_out: Annotated[
        bool, typer.Option("--leave-one-out", help="A fold for each group, in place of shares.")
    ] = False,
    alone: Annotated[
        bool, typer.Option("--alone", help="Let an image without a group be a group of its own.")
    ] = False,
) -> None:
    """Split items by group, never by image, and write the split with its hash.

    Stratified on each group's highest grade. The same seed gives the same split, on any machine.
    """
    from cbir.items.split import leave_one_group_out, split_by_group, split_hash, strata
    from cbir.items.table import read_table
    from cbir.items.write import copy_with
    from cli.renderers.split import render_split

    rows = read_table(items, label_column=label, group_column=group).rows
    groups = _groups(items, rows, alone=alone)
    grades = _grades(rows, named=label is not None)
    split_of = (
        leave_one_group_out(groups)
        if leave_one_out
        else split_by_group(strata(zip(groups, grades, strict=True)), _numbers(shares), seed=seed)
    )
    where = [split_of[each] for each in groups]
    name = split_hash(split_of)
    copy_with(items, output, {column: where, f"{column}_hash": [name] * len(rows)})
    if leave_one_out:
        note(f"{output}: {len(rows)} images in {len(split_of)} folds, one a group; split {name}")
        return
    typer.echo(render_split(where, groups, grades), nl=False)
    note(f"{output}: {len(rows)} images of {len(split_of)} groups; split {name}")


def audit(
    items: ItemsFile,
    *,
    column: Column = "split",
    group: opt.GroupColumn = None,
    near_bits: Annotated[
        int | None,
        typer.Option(min=0, max=576, help="Bits that the hashes of one picture may differ in (default: 96)."),
    ] = None,
    as_json: opt.AsJson = False,
    workers: opt.Workers = None,
    timeout_s: opt.TimeoutS = None,
    memory_mb: opt.MemoryMb = None,
    max_pixel_mb: opt.MaxPixelMb = None,
    max_file_mb: opt.MaxFileMb = None,
) -> None:
    """Look for leaks: patients, files and pictures that stand on both sides of a split.

    Exit code 0 when there is none, 1 when there is one, 3 when some files could not be looked at.
    """
    from cbir.items.audit import find_leaks
    from cbir.items.phash import NEAR_BITS
    from cbir.items.table import read_table
    from cli.auditing import look_at
    from cli.renderers.audit import audit_document, render_leaks, verdict

    settings = load_settings(
        workers=workers,
        timeout_s=timeout_s,
        memory_mb=memory_mb,
        max_pixel_mb=max_pixel_mb,
        max_file_mb=max_file_mb,
    )
    rows = read_table(items, group_column=group).rows
    if column not in rows[0].metadata:
        there = ", ".join(rows[0].metadata) or "none"
        raise ItemsError(
            f"{items} has no column {column!r}; beside path, label and group it has {there}. "
            "Name the split's with --column, or make one: cbir items split."
        )
    note(f"looking at {len(rows)} files")
    looked = look_at(rows, column, settings)
    leaks = find_leaks(looked.items, near_bits=NEAR_BITS if near_bits is None else near_bits)
    if as_json:
        typer.echo(json.dumps(audit_document(items, looked, leaks), indent=2))
    else:
        typer.echo(render_leaks(leaks), nl=False)
    for line in verdict(looked, leaks):
        note(line)
    if leaks:
        raise typer.Exit(ExitCode.ERROR)
    if looked.unread:
        raise typer.Exit(ExitCode.SKIPPED)


def _groups(items: str, rows: Sequence[Found], *, alone: bool) -> list[str]:
    from cbir.items.split import names_alone

    n_without = sum(row.group is None for row in rows)
    if n_without and not alone:
        raise ItemsError(
            f"{items}: {n_without} of {len(rows)} images have no group. Name the patient's column with "
            "--group, or let each of them be a group of its own with --alone."
        )
    names = names_alone([row.path for row in rows])
    return [row.group or names[row.path] for row in rows]


def _grades(rows: Sequence[Found], *, named: bool) -> list[str | None]:
    """The column ``grade`` where there is one, and no other is named; else the label."""
    if named or "grade" not in rows[0].metadata:
        return [row.label for row in rows]
    grades = [row.metadata["grade"] for row in rows]
    return [None if grade is None else str(grade) for grade in grades]


def _numbers(text: str) -> list[float]:
    try:
        return [float(each) for each in text.split(",")]
    except ValueError:
        raise UsageProblem(f"--shares is {text!r}. Give numbers with commas, such as 50,20,30.") from None
