"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cbir.images.settings import FramesPolicy, ReadOrSkip, ReadPolicy, WarnOrSkip
from cli.settings import Settings

_DEFAULTS = Settings()
_POLICIES = ReadPolicy()
_INPUT, _LIMITS, _POLICY = "What is indexed", "What one file may cost", "Which files are admitted"

IndexOption = Annotated[
    Path | None,
    typer.Option("--index", "-i", help="The index directory (default: CBIR_INDEX, else ./cbir.index)."),
]
NewIndex = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="The index directory (default: CBIR_INDEX, else ./cbir.index)."),
]
TenantName = Annotated[
    str | None,
    typer.Option(
        "--tenant",
        metavar="NAME",
        help="Whose items are searched, where the index keeps tenants (default: CBIR_TENANT).",
    ),
]
TenantColumn = Annotated[
    str | None,
    typer.Option(
        "--tenant",
        metavar="COLUMN",
        help="Keep the items apart by this column: who searches names a tenant, and sees its items alone.",
        rich_help_panel=_INPUT,
    ),
]
Labels = Annotated[
    str | None,
    typer.Option(
        help="A CSV or Parquet file with a column path, and columns to join: label, group and any other.",
        rich_help_panel=_INPUT,
    ),
]
LabelColumn = Annotated[
    str | None,
    typer.Option("--label", help="The column that holds the label (default: label).", rich_help_panel=_INPUT),
]
GroupColumn = Annotated[
    str | None,
    typer.Option(
        "--group",
        help="The column that holds the patient (default: group, else patient_id).",
        rich_help_panel=_INPUT,
    ),
]
CaseColumn = Annotated[
    str | None,
    typer.Option(
        "--case",
        metavar="COLUMN",
        help="With --by case: the column that tells cases apart (default: case, else study, else group).",
    ),
]
Skipped = Annotated[
    Path | None,
    typer.Option(
        help="Write a JSON line for every skipped file here (default: INDEX/skipped.jsonl).",
        rich_help_panel=_INPUT,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, help="Decoding processes (default: one a core).", rich_help_panel=_LIMITS),
]
TimeoutS = Annotated[
    float | None,
    typer.Option(
        help=f"Seconds to decode one file (default: {_DEFAULTS.timeout_s:g}).", rich_help_panel=_LIMITS
    ),
]
MemoryMb = Annotated[
    int | None,
    typer.Option(
        min=1, help=f"MiB to decode one file (default: {_DEFAULTS.memory_mb}).", rich_help_panel=_LIMITS
    ),
]
MaxPixelMb = Annotated[
    int | None,
    typer.Option(
        min=1,
        help=f"MiB of pixels a file may declare (default: {_DEFAULTS.max_pixel_mb}).",
        rich_help_panel=_LIMITS,
    ),
]
MaxFileMb = Annotated[
    int | None,
    typer.Option(
        min=1, help=f"MiB a file may have (default: {_DEFAULTS.max_file_mb}).", rich_help_panel=_LIMITS
    ),
]
Frames = Annotated[
    FramesPolicy | None,
    typer.Option(
        help="Of files with several frames or pages (default: as the extractor says: middle).",
        rich_help_panel=_POLICY,
    ),
]
ForProcessing = Annotated[
    ReadOrSkip | None,
    typer.Option(help=f"Raw detector images (default: {_POLICIES.for_processing}).", rich_help_panel=_POLICY),
]
SecondaryCapture = Annotated[
    ReadOrSkip | None,
    typer.Option(
        help=f"Screenshots, scans (default: {_POLICIES.secondary_capture}).", rich_help_panel=_POLICY
    ),
]
BurnedIn = Annotated[
    WarnOrSkip | None,
    typer.Option(
        help=f"Images with text burned in (default: {_POLICIES.burned_in}).", rich_help_panel=_POLICY
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]


def views(tta: bool | None) -> tuple[str, ...] | None:  # noqa: FBT001 (the flag's value)
    """The views of test-time augmentation that a flag asks for; None leaves what is there."""
    from cbir.extractors.spec.views import FIVE, ORIGINAL

    return None if tta is None else FIVE if tta else (ORIGINAL,)
