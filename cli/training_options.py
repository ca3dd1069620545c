"""Options that the commands have which train."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.settings import Device

_WHAT, _HOW = "What is trained on", "What is said otherwise than in the recipe"

RecipeName = Annotated[
    str | None, typer.Argument(metavar="RECIPE", help="As --list says, or an own .toml file.")
]
Items = Annotated[
    str | None,
    typer.Option(
        "--items", help="CSV or Parquet: path, label, patient, perhaps split.", rich_help_panel=_WHAT
    ),
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="The folder of the run.")]
Label = Annotated[
    str | None,
    typer.Option("--label", help="The column of the label (default: label).", rich_help_panel=_WHAT),
]
Group = Annotated[
    str | None,
    typer.Option(
        "--group", help="The column of the patient (default: group, else patient_id).", rich_help_panel=_WHAT
    ),
]
Split = Annotated[
    str | None,
    typer.Option(
        "--split",
        metavar="COLUMN",
        help="Says train, val or test (default: split, else 50, 20 and 30 % of the patients).",
        rich_help_panel=_WHAT,
    ),
]
Alone = Annotated[
    bool,
    typer.Option("--alone", help="Let an image without a patient be one of its own.", rich_help_panel=_WHAT),
]
Weights = Annotated[
    Path | None,
    typer.Option("--weights", help="A file in place of the start's weights.", rich_help_panel=_HOW),
]
Epochs = Annotated[int | None, typer.Option("--epochs", min=1, help="At most.", rich_help_panel=_HOW)]
Batch = Annotated[int | None, typer.Option("--batch", min=2, help="Images in a batch.", rich_help_panel=_HOW)]
Seed = Annotated[
    int | None,
    typer.Option("--seed", min=0, help="Of everything that is drawn.", rich_help_panel=_HOW),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a run that was interrupted.")]
ListNames = Annotated[bool, typer.Option("--list", help="Show the recipes and leave.")]
Where = Annotated[Device | None, typer.Option("--device", help="Where it runs (default: auto).")]
AllowPickle = Annotated[
    bool | None, typer.Option("--allow-pickle", help="Also read weights in a pickle file.")
]
Offline = Annotated[bool | None, typer.Option("--offline", help="Never open a connection.")]
